//! Where HTTP/2 meets the `http` crate's types, which tonic's stubs and services speak.

use http::{Request, Uri, Version, uri};
use thalweg_http2::{config::Config, head::RequestHead, hpack::field::Scheme};

use crate::transport::options::Http2Options;

/// A request as a service takes it.
pub(super) fn request(head: RequestHead) -> Request<()> {
    let RequestHead { method, path, scheme, authority, fields } = head;
    let mut parts = uri::Parts::default();
    // An http::Uri has both or neither.
    if let (Some(authority), Some(scheme)) = (authority, of_scheme(scheme)) {
        parts.scheme = Some(scheme);
        parts.authority = Some(authority);
    }
    parts.path_and_query = Some(path);
    let mut request = Request::new(());
    *request.method_mut() = method;
    *request.version_mut() = Version::HTTP_2;
    *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
    *request.headers_mut() = fields.into_map();
    request
}

/// How the protocol is set up.
pub(super) fn config(options: &Http2Options) -> Config {
    Config {
        stream_window: options.stream_window,
        connection_window: options.connection_window,
        max_frame_size: options.max_frame_size,
        max_header_list_size: options.max_header_list_size,
        max_write_buffer: options.max_write_buffer,
        adaptive_window: options.adaptive_window,
        ..Config::default()
    }
}

fn of_scheme(scheme: Scheme) -> Option<uri::Scheme> {
    match scheme {
        Scheme::Http => Some(uri::Scheme::HTTP),
        Scheme::Https => Some(uri::Scheme::HTTPS),
        Scheme::Other => None,
    }
}
