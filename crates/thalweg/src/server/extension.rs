//! What plugs into a server without the server knowing it.

use super::builder::ServerBuilder;

/// Something that comes with all its services and follows the server's life, for instance the health service of
/// `thalweg-services`.
///
/// ```
/// use thalweg::server::{Extension, Server, ServerBuilder};
///
/// /// Says goodbye.
/// struct Polite;
///
/// impl Extension for Polite {
///     fn extend(self, server: ServerBuilder) -> ServerBuilder {
///         server.on_stop(|| println!("goodbye"))
///     }
/// }
///
/// let server = Server::builder().extension(Polite);
/// ```
pub trait Extension {
    /// Adds to the server whatever it takes.
    fn extend(self, server: ServerBuilder) -> ServerBuilder;
}
