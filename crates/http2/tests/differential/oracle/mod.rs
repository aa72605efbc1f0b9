//! Both ends of a session as the `h2` crate plays them.

mod client;
mod server;
mod talk;

pub(crate) use self::{client::client, server::server};
