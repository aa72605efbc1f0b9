//! HTTP/2 on the wire (RFC 9113, RFC 7541), small and plain: a second opinion that shares no code, and so no bugs, with
//! what it tests.

pub mod hpack;

pub mod frame;
