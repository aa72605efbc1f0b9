//! What HTTP/2 makes of metadata: its size (RFC 9113 section 6.5.2), and the headers that it forbids (section 8.2.2).

use http::{HeaderMap, HeaderName, header::TE};

/// Headers that speak of a connection, and are no metadata.
pub(crate) const FORBIDDEN: [&str; 5] =
    ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];

/// The size of the headers in bytes as HTTP/2 counts it, without the pseudo-headers.
pub(crate) fn header_list_size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum()
}

/// Removes from a response's headers or trailers what HTTP/2 does not let a server send.
pub(crate) fn strip(headers: &mut HeaderMap) {
    let is_forbidden = |name: &&HeaderName| **name == TE || FORBIDDEN.contains(&name.as_str());
    while let Some(name) = headers.keys().find(is_forbidden).cloned() {
        tracing::debug!(%name, "a header that HTTP/2 forbids is left out of a response");
        headers.remove(name);
    }
}
