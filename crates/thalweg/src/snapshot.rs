//! The immutable value that the channel publishes and calls read.
