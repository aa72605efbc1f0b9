//! Answers of a size that the client accepts: SETTINGS_MAX_HEADER_LIST_SIZE (RFC 9113 sections 6.5.2 and 10.5.1).
//!
//! A client that refuses a list of fields for its size knows nothing of how its call went. So what is too large makes way
//! for a status that says so.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE};

use super::blocks::{GRPC, OVERHEAD};
use crate::fields::{GRPC_STATUS as STATUS, is_left_out};

const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
/// RESOURCE_EXHAUSTED.
const TOO_MUCH: HeaderValue = HeaderValue::from_static("8");
/// What `:status` takes.
const HTTP_STATUS: usize = ":status".len() + "200".len() + OVERHEAD;

/// What takes the place of a response's head that is larger than `limit`, and is all of the response. `None`: the client
/// accepts the head as it is.
pub(super) fn head(status: StatusCode, headers: &HeaderMap, limit: Option<usize>) -> Option<(StatusCode, HeaderMap)> {
    let limit = limit?;
    let said = headers.get(CONTENT_TYPE);
    let implied = if said.is_none() && status == StatusCode::OK { field(CONTENT_TYPE.as_str(), GRPC.len()) } else { 0 };
    let size = HTTP_STATUS + implied + size(headers);
    if size <= limit {
        return None;
    }
    let is_grpc = said.map_or(status == StatusCode::OK, |value| value.as_bytes().starts_with(GRPC.as_bytes()));
    if !is_grpc && !headers.contains_key(STATUS) {
        return Some((StatusCode::INTERNAL_SERVER_ERROR, HeaderMap::new()));
    }
    let rest = limit.saturating_sub(HTTP_STATUS + field(CONTENT_TYPE.as_str(), GRPC.len()));
    let mut short = end(headers, "headers", size, limit, rest);
    short.insert(CONTENT_TYPE, HeaderValue::from_static(GRPC));
    Some((StatusCode::OK, short))
}

/// What takes the place of trailers that are larger than `limit`. `None`: the client accepts them as they are.
pub(super) fn trailers(trailers: &HeaderMap, limit: Option<usize>) -> Option<HeaderMap> {
    let limit = limit?;
    let size = size(trailers);
    (size > limit).then(|| end(trailers, "trailers", size, limit, limit))
}

/// The end of a call without its metadata. A failure stays what it was, its message too if it has no more than `rest`
/// bytes; what was a success is none without its metadata.
fn end(fields: &HeaderMap, what: &str, found: usize, limit: usize, rest: usize) -> HeaderMap {
    let failure = fields.get(STATUS).filter(|status| *status != "0");
    let mut short = HeaderMap::with_capacity(3);
    short.insert(STATUS, failure.cloned().unwrap_or(TOO_MUCH));
    if let (Some(_), Some(message)) = (failure, fields.get(MESSAGE)) {
        short.insert(MESSAGE, message.clone());
        if size(&short) <= rest {
            return short;
        }
    }
    let text = format!("the {what} of {found} bytes are larger than the client accepts ({limit} bytes)");
    // Nothing in it needs percent-encoding.
    if let Ok(text) = HeaderValue::try_from(text) {
        short.insert(MESSAGE, text);
    }
    short
}

/// The size of the list of these fields, in bytes as of RFC 9113 section 10.5.1.
fn size(fields: &HeaderMap) -> usize {
    let sent = fields.iter().filter(|(name, _)| !is_left_out(name));
    sent.map(|(name, value)| field(name.as_str(), value.len())).sum()
}

fn field(name: &str, value: usize) -> usize {
    name.len() + value + OVERHEAD
}
