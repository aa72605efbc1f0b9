//! Fields (RFC 9113 sections 8.2 and 8.3), read once: when a table takes them in, or when a block spells them out.

use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Method, StatusCode,
    header::CONTENT_TYPE,
    uri::{Authority, PathAndQuery},
};

/// What a name means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Name {
    Method,
    Scheme,
    Path,
    Authority,
    Status,
    UnknownPseudo,
    ContentType,
    Te,
    GrpcStatus,
    Header(HeaderName),
    ConnectionSpecific(&'static str),
    Malformed(&'static str),
}

/// `:scheme`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scheme {
    /// `http`.
    Http,
    /// `https`.
    Https,
    /// Anything else.
    Other,
}

/// A field, parsed as far as gRPC cares. A clone costs at most a reference count.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Field {
    /// `:method`.
    Method(Method),
    /// `:scheme`.
    Scheme(Scheme),
    /// `:path`; `None` if the `http` crate has no value for it.
    Path(Option<PathAndQuery>),
    /// `:authority`; `None` if the `http` crate has no value for it.
    Authority(Option<Authority>),
    /// `:status`.
    Status(StatusCode),
    /// A pseudo-header field that RFC 9113 does not know.
    UnknownPseudo,
    /// `content-type: application/grpc`, exactly.
    ContentTypeGrpc,
    /// `te: trailers`.
    TeTrailers,
    /// `grpc-status`, as one of the decimals 0 to 16.
    GrpcStatus(u8),
    /// Any other field. The value is marked sensitive if its sender forbade to index it.
    Header(HeaderName, HeaderValue),
    /// A field of HTTP/1.1 that has no place here (RFC 9113 section 8.2.2), by its name.
    ConnectionSpecific(&'static str),
    /// A name or a value that breaks the named rule (RFC 9113 sections 8.2.1 and 8.3).
    Malformed(&'static str),
}
