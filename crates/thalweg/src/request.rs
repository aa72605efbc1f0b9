//! What one call may be told, in the extensions of its request.
