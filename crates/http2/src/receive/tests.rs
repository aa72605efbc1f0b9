//! What the receiver makes of bytes.
