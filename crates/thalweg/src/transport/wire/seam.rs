//! Where HTTP/2 meets the `http` crate's types, which tonic's stubs and services speak.

use http::{HeaderMap, Request, Uri, Version, uri};
use thalweg_http2::{
    config::{Config, Role},
    fields::Fields,
    head::RequestHead,
    hpack::field::Scheme,
};

use crate::transport::options::Http2Options;

/// The headers of an earlier request, which those of later ones mostly repeat: a copy costs less than a map made anew.
#[derive(Debug, Default)]
pub(super) struct Template {
    fields: Fields,
    map: HeaderMap,
    /// Requests in a row that were others.
    misses: u32,
}

impl Template {
    /// So many other requests in a row, and the template is given up for the last of them.
    const PATIENCE: u32 = 64;

    fn headers(&mut self, fields: Fields) -> HeaderMap {
        if self.fields == fields {
            self.misses = 0;
            return self.map.clone();
        }
        self.misses += 1;
        if self.misses % Self::PATIENCE == 1 {
            self.map = fields.clone().into_map();
            self.fields = fields;
            return self.map.clone();
        }
        fields.into_map()
    }
}

/// A request as a service takes it.
pub(super) fn request(head: RequestHead, template: &mut Template) -> Request<()> {
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
    *request.headers_mut() = template.headers(fields);
    request
}

/// How the protocol is set up.
pub(super) fn config(role: Role, options: &Http2Options) -> Config {
    Config {
        stream_window: options.stream_window,
        connection_window: options.connection_window,
        max_frame_size: options.max_frame_size,
        max_header_list_size: options.max_header_list_size,
        max_write_buffer: options.max_write_buffer,
        max_stalled: if role == Role::Server { options.max_stalled } else { usize::MAX },
        adaptive_window: options.adaptive_window,
        max_concurrent_streams: u32::MAX,
        limits: options.limits,
    }
}

fn of_scheme(scheme: Scheme) -> Option<uri::Scheme> {
    match scheme {
        Scheme::Http => Some(uri::Scheme::HTTP),
        Scheme::Https => Some(uri::Scheme::HTTPS),
        Scheme::Other => None,
    }
}
