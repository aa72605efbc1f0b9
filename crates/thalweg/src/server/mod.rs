//! The server: listeners in, generated services out.

/// A server.
#[derive(Debug)]
pub struct Server;
