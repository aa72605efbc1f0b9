//! What HTTP/2 makes of metadata: its size (RFC 9113 section 6.5.2), and the headers that it forbids (section 8.2.2).

use http::HeaderMap;

/// Headers that speak of a connection, and are no metadata.
pub(crate) use thalweg_http2::fields::CONNECTION_SPECIFIC as FORBIDDEN;
use thalweg_http2::fields::is_left_out;

/// The size of the headers in bytes as HTTP/2 counts it, without the pseudo-headers.
pub(crate) fn header_list_size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum()
}

/// Removes from a response's headers or trailers what HTTP/2 does not let a server send.
pub(crate) fn strip(headers: &mut HeaderMap) {
    while let Some(name) = headers.keys().find(|name| is_left_out(name)).cloned() {
        tracing::debug!(%name, "a header that HTTP/2 forbids is left out of a response");
        headers.remove(name);
    }
}
