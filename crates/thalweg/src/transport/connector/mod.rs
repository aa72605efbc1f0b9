//! Connectors: how the byte stream under a connection is made.
