//! The head of a response: is it gRPC at all, and is it safe to hand to a stub (doc/http-grpc-status-mapping)?

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header::CONTENT_TYPE};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};
use tonic::{Code, Status};

use super::{
    attempt::Attempt,
    body::{ResponseBody, Rest},
    upload::Upload,
};
use crate::error::{LocalError, status::code_of_http};

/// Padded or not, as gRPC's binary metadata comes; no more lenient than a stub.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// How the call went.
pub(super) const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// Takes a response that may be gRPC's.
pub(super) fn accept(
    head: Response<()>,
    mut attempt: Attempt,
    upload: Upload,
    limit: usize,
    rest: Rest,
) -> Result<Response<ResponseBody>, Status> {
    let (mut parts, ()) = head.into_parts();
    if let Err(status) = check(parts.status, &parts.headers) {
        attempt.end(status.code());
        return Err(status);
    }
    sanitize(&mut parts.headers);
    let body = match parts.headers.get(GRPC_STATUS) {
        Some(status) if attempt.receive.is_ended() || code_of(status) != Code::Ok => {
            attempt.end(code_of(status));
            ResponseBody::empty()
        }
        _ => ResponseBody::new(attempt, upload, limit, rest),
    };
    Ok(Response::from_parts(parts, body))
}

/// Whatever has a `grpc-status` is gRPC's; else both the HTTP status and the content type must be right.
fn check(http: StatusCode, headers: &HeaderMap) -> Result<(), Status> {
    if headers.contains_key(GRPC_STATUS) {
        return Ok(());
    }
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_grpc = content_type.is_some_and(|t| t.starts_with(b"application/grpc"));
    if http == StatusCode::OK && is_grpc {
        return Ok(());
    }
    let content_type = content_type.map_or_else(|| "none".into(), String::from_utf8_lossy);
    let text = format!("the answer is not gRPC's: HTTP status {http}, content-type {content_type}");
    Err(LocalError::NotGrpc(text.as_str().into()).status(code_of_http(http), text))
}

/// Mends what a stub would stumble over.
pub(super) fn sanitize(headers: &mut HeaderMap) {
    drop_malformed_details(headers);
    mend_message(headers);
}

/// Removes a `grpc-status-details-bin` that is not base64: it would make a stub panic.
fn drop_malformed_details(headers: &mut HeaderMap) {
    const DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");
    if headers.get(DETAILS).is_some_and(|value| BASE64.decode(value.as_bytes()).is_err()) {
        tracing::warn!("dropped {DETAILS}, which is not base64");
        headers.remove(DETAILS);
    }
}

/// Makes a `grpc-message` readable that is not UTF-8: a stub would forget the code with it.
fn mend_message(headers: &mut HeaderMap) {
    const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
    let Some(value) = headers.get(MESSAGE) else { return };
    let decoded = percent_decode(value.as_bytes());
    if decoded.clone().decode_utf8().is_ok() {
        return;
    }
    let readable = utf8_percent_encode(&decoded.decode_utf8_lossy(), NON_ALPHANUMERIC).to_string();
    if let Ok(value) = HeaderValue::try_from(readable) {
        headers.insert(MESSAGE, value);
    }
}

/// The code in a `grpc-status`.
pub(super) fn code_of(value: &HeaderValue) -> Code {
    Code::from_bytes(value.as_bytes())
}
