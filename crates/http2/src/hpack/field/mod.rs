//! Fields (RFC 9113 sections 8.2 and 8.3), read once: when a table takes them in, or when a block spells them out.

#[cfg(test)]
mod tests;

use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Method, StatusCode,
    header::CONTENT_TYPE,
    uri::{Authority, PathAndQuery},
};

use crate::fields::{CONNECTION_SPECIFIC, GRPC_STATUS};

/// The largest status code that gRPC knows.
const LAST_STATUS: u8 = 16;

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

/// A field, parsed as far as gRPC cares. A clone costs at most two reference counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Field {
    /// `:method`.
    Method(Method),
    /// `:scheme`.
    Scheme(Scheme),
    /// `:path`, not empty; `None` if the `http` crate has no value for it.
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
    /// What a name or a value does that it must not (RFC 9113 sections 8.2.1 and 8.3).
    Malformed(&'static str),
}

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

impl Name {
    /// Reads a name. Those that gRPC sends with every call take no memory.
    pub(super) fn parse(name: &[u8]) -> Self {
        match name {
            [b':', pseudo @ ..] => Self::pseudo(pseudo),
            b"content-type" => Self::ContentType,
            b"te" => Self::Te,
            b"grpc-status" => Self::GrpcStatus,
            b"grpc-timeout" => Self::Header(HeaderName::from_static("grpc-timeout")),
            b"grpc-encoding" => Self::Header(HeaderName::from_static("grpc-encoding")),
            b"grpc-accept-encoding" => Self::Header(HeaderName::from_static("grpc-accept-encoding")),
            b"grpc-message" => Self::Header(HeaderName::from_static("grpc-message")),
            b"grpc-status-details-bin" => Self::Header(HeaderName::from_static("grpc-status-details-bin")),
            _ => match CONNECTION_SPECIFIC.into_iter().find(|known| known.as_bytes() == name) {
                Some(known) => Self::ConnectionSpecific(known),
                None => Self::other(name),
            },
        }
    }

    /// What follows the colon.
    fn pseudo(name: &[u8]) -> Self {
        match name {
            b"method" => Self::Method,
            b"scheme" => Self::Scheme,
            b"path" => Self::Path,
            b"authority" => Self::Authority,
            b"status" => Self::Status,
            _ => Self::UnknownPseudo,
        }
    }

    fn other(name: &[u8]) -> Self {
        match HeaderName::from_lowercase(name) {
            Ok(name) => Self::Header(name),
            Err(_) if name.is_empty() => Self::Malformed("a field without a name"),
            Err(_) if name.iter().any(u8::is_ascii_uppercase) => {
                Self::Malformed("a field name with upper-case letters")
            }
            Err(_) => Self::Malformed("a field name with bytes that are not allowed"),
        }
    }
}

impl Field {
    /// Reads a value. A value that is kept is copied.
    pub(super) fn parse(name: Name, value: &[u8]) -> Self {
        match name {
            Name::Method => Method::from_bytes(value).map_or(Self::Malformed(":method is no token"), Self::Method),
            Name::Scheme => Self::Scheme(match value {
                b"http" => Scheme::Http,
                b"https" => Scheme::Https,
                _ => Scheme::Other,
            }),
            Name::Path if value.is_empty() => Self::Malformed(":path is empty"),
            Name::Path if value.contains(&b'#') => Self::Malformed("a :path with a fragment"),
            Name::Path => Self::Path(PathAndQuery::from_maybe_shared(Bytes::copy_from_slice(value)).ok()),
            Name::Authority if value.contains(&b'@') => Self::Malformed("an :authority with user information"),
            Name::Authority if !value.iter().all(is_of_authority) => {
                Self::Malformed("an :authority with bytes that are not allowed")
            }
            Name::Authority => Self::Authority(Authority::from_maybe_shared(Bytes::copy_from_slice(value)).ok()),
            Name::Status => StatusCode::from_bytes(value)
                .map_or(Self::Malformed(":status is no number of three digits"), Self::Status),
            Name::UnknownPseudo => Self::UnknownPseudo,
            Name::ContentType if value == b"application/grpc" => Self::ContentTypeGrpc,
            Name::ContentType => Self::header(CONTENT_TYPE, value),
            Name::Te if value.eq_ignore_ascii_case(b"trailers") => Self::TeTrailers,
            Name::Te => Self::ConnectionSpecific("te, other than trailers"),
            Name::GrpcStatus => status(value).map_or_else(|| Self::header(GRPC_STATUS, value), Self::GrpcStatus),
            Name::Header(name) => Self::header(name, value),
            Name::ConnectionSpecific(name) => Self::ConnectionSpecific(name),
            Name::Malformed(rule) => Self::Malformed(rule),
        }
    }

    /// White space at the ends, which RFC 9113 does not like, is let through: gRPC libraries send it in `grpc-message`.
    fn header(name: HeaderName, value: &[u8]) -> Self {
        match HeaderValue::from_bytes(value) {
            Ok(value) => Self::Header(name, value),
            Err(_) => Self::Malformed("a field value with bytes that are not allowed"),
        }
    }

    /// Marks the value as one that is not to be indexed, nor logged.
    pub(super) fn into_sensitive(mut self) -> Self {
        if let Self::Header(_, value) = &mut self {
            value.set_sensitive(true);
        }
        self
    }
}

/// May this be in an authority? Percent-encoding may, which gRPC libraries send for Unix sockets.
fn is_of_authority(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:[]".contains(byte)
}

/// A status code, if it is written as gRPC writes those it knows.
fn status(value: &[u8]) -> Option<u8> {
    let status = match value {
        [ones @ b'0'..=b'9'] => ones - b'0',
        [b'1', ones @ b'0'..=b'9'] => 10 + ones - b'0',
        _ => return None,
    };
    (status <= LAST_STATUS).then_some(status)
}
