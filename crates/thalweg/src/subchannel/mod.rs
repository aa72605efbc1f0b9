//! Makes the connections that the policy asked for.
