//! What the fuzzer feeds. The bodies of the targets live among the tests of what they test, so that `cargo test` runs them
//! too.

#[path = "../../crates/http2/tests/fuzz/targets/mod.rs"]
mod targets;

/// Frames that may be none.
pub fn frames(input: &[u8]) {
    targets::frames(input);
}

/// Header blocks that may be none.
pub fn hpack(input: &[u8]) {
    targets::hpack(input);
}

/// Our client at a server that says anything.
pub fn client(input: &[u8]) {
    targets::client(input);
}

/// Our server at a client that says anything.
pub fn server(input: &[u8]) {
    targets::server(input);
}
