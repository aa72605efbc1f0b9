//! The fields of a message without its pseudo-header fields, as gRPC reads them.

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{CONTENT_TYPE, TE},
};

pub(crate) const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
static GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
static TRAILERS: HeaderValue = HeaderValue::from_static("trailers");
/// The status codes that gRPC knows, as their decimals.
static STATUSES: [HeaderValue; 17] = [
    HeaderValue::from_static("0"),
    HeaderValue::from_static("1"),
    HeaderValue::from_static("2"),
    HeaderValue::from_static("3"),
    HeaderValue::from_static("4"),
    HeaderValue::from_static("5"),
    HeaderValue::from_static("6"),
    HeaderValue::from_static("7"),
    HeaderValue::from_static("8"),
    HeaderValue::from_static("9"),
    HeaderValue::from_static("10"),
    HeaderValue::from_static("11"),
    HeaderValue::from_static("12"),
    HeaderValue::from_static("13"),
    HeaderValue::from_static("14"),
    HeaderValue::from_static("15"),
    HeaderValue::from_static("16"),
];

/// Fields that speak of a connection of HTTP/1.1 and have no place in HTTP/2 (RFC 9113 section 8.2.2), but for `te`.
pub const CONNECTION_SPECIFIC: [&str; 5] =
    ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];

/// Is this a field that gRPC's messages are sent without: one that speaks of a connection, or `te`, which is every
/// request's anyway?
#[must_use]
pub fn is_left_out(name: &HeaderName) -> bool {
    name == TE || CONNECTION_SPECIFIC.contains(&name.as_str())
}

/// The trailers of a success without metadata.
static OK_TRAILERS: LazyLock<HeaderMap> = LazyLock::new(|| HeaderMap::from_iter([(GRPC_STATUS, STATUSES[0].clone())]));

/// Fields in the order of their arrival. What almost every gRPC message says takes no memory.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Fields {
    /// Whether `content-type` is exactly `application/grpc`.
    pub is_grpc: bool,
    /// Whether `te: trailers` was said.
    pub te_trailers: bool,
    /// `grpc-status`, if it is one of the decimals 0 to 16; any other value is in the list.
    pub grpc_status: Option<u8>,
    /// All other fields.
    pub list: Vec<(HeaderName, HeaderValue)>,
    /// Size of all fields that came, those left out too, in bytes as of RFC 9113 section 10.5.1.
    pub size: usize,
    /// Whether there were more than the limit allows: the rest was left out.
    pub cut: bool,
}

impl Fields {
    /// The first value of a field. `name` is in lower case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&HeaderValue> {
        let known = match name {
            "content-type" if self.is_grpc => Some(&GRPC),
            "te" if self.te_trailers => Some(&TRAILERS),
            "grpc-status" => self.status_value(),
            _ => None,
        };
        known.or_else(|| self.list.iter().find(|(field, _)| field == name).map(|(_, value)| value))
    }

    /// All fields as a map that has room for exactly them.
    #[must_use]
    pub fn into_map(self) -> HeaderMap {
        let is_success = self.grpc_status == Some(0) && !self.is_grpc && !self.te_trailers && self.list.is_empty();
        if is_success {
            // How nearly every call ends. A copy of a map costs less than making one.
            return OK_TRAILERS.clone();
        }
        let mut map = HeaderMap::new();
        self.append_to(&mut map, 0);
        map
    }

    /// Adds all fields to a map, which gets room for so many `more`.
    pub fn append_to(self, map: &mut HeaderMap, more: usize) {
        let status = self.status_value();
        let known = usize::from(self.is_grpc) + usize::from(self.te_trailers) + usize::from(status.is_some());
        map.reserve(known + self.list.len() + more);
        if self.is_grpc {
            map.append(CONTENT_TYPE, GRPC.clone());
        }
        if self.te_trailers {
            map.append(TE, TRAILERS.clone());
        }
        if let Some(status) = status {
            map.append(GRPC_STATUS, status.clone());
        }
        for (name, value) in self.list {
            map.append(name, value);
        }
    }

    fn status_value(&self) -> Option<&'static HeaderValue> {
        self.grpc_status.and_then(|status| STATUSES.get(usize::from(status)))
    }
}
