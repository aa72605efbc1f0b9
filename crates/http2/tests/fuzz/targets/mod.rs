//! What each fuzz target does with its input. They run here over the corpora, and under the fuzzer in `fuzz/`.

mod connection;
mod frames;
mod hpack;

use thalweg_http2::config::Role;

/// The input is frames.
pub(crate) fn frames(input: &[u8]) {
    frames::run(input);
}

/// The input is header blocks.
pub(crate) fn hpack(input: &[u8]) {
    hpack::run(input);
}

/// The input is what a server says, and what our client does meanwhile.
pub(crate) fn client(input: &[u8]) {
    connection::run(Role::Client, input);
}

/// The input is what a client says, and what our server does meanwhile.
pub(crate) fn server(input: &[u8]) {
    connection::run(Role::Server, input);
}
