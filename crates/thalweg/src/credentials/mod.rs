//! How a connection is secured, and how a call proves who it is.
