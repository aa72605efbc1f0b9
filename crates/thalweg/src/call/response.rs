//! The head of a response: is it gRPC at all, and is it safe to hand to a stub (doc/http-grpc-status-mapping)?

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Version, header::CONTENT_TYPE};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};
use tonic::{Code, Status};

use super::{
    attempt::Attempt,
    body::{ResponseBody, Rest},
    metadata::Listed,
    upload::Upload,
};
use crate::{
    error::{LocalError, status::code_of_http},
    transport::{
        client::{Fields, ResponseHead, Whole},
        messages::is_one_message,
    },
};

/// Padded or not, as gRPC's binary metadata comes; no more lenient than a stub.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// How the call went.
pub(super) const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// Takes a unary call's response that has come at once, or gives back what is not as simple as it looks or has come
/// before all of the request has gone.
pub(super) fn accept_whole(
    head: &ResponseHead,
    whole: Whole,
    limit: usize,
    attempt: &mut Attempt,
) -> Result<ResponseBody, Whole> {
    let is_plain = head.status == StatusCode::OK && head.fields.is_grpc && head.fields.grpc_status.is_none();
    if attempt.send.is_some() || !is_plain || !is_one_message(&whole.body, limit) {
        return Err(whole);
    }
    attempt.end_with(Code::Ok, &Listed(&whole.trailers));
    Ok(ResponseBody::whole(whole))
}

/// Takes a response that may be gRPC's.
pub(super) fn accept(
    head: &ResponseHead,
    mut attempt: Attempt,
    upload: Upload,
    limit: usize,
    rest: Rest,
) -> Result<ResponseBody, Status> {
    if let Err(status) = check(head.status, &head.fields) {
        attempt.end(status.code());
        return Err(status);
    }
    Ok(match head.fields.get(GRPC_STATUS.as_str()) {
        Some(status) if attempt.receive.is_ended() || code_of(status) != Code::Ok => {
            attempt.end_with(code_of(status), &Listed(&head.fields));
            ResponseBody::empty()
        }
        _ => ResponseBody::new(attempt, upload, limit, rest),
    })
}

/// A response as a stub takes it.
pub(super) fn assemble(head: ResponseHead, body: ResponseBody) -> Response<ResponseBody> {
    let mut response = Response::new(body);
    *response.status_mut() = head.status;
    *response.version_mut() = Version::HTTP_2;
    let is_plain = head.fields.list.is_empty();
    // A stub adds the trailers to them.
    head.fields.append_to(response.headers_mut(), 1);
    if !is_plain {
        sanitize(response.headers_mut());
    }
    response
}

/// Headers or trailers as a stub takes them, with what it would stumble over mended.
pub(super) fn into_map(fields: Fields) -> HeaderMap {
    let is_plain = fields.list.is_empty();
    let mut map = fields.into_map();
    if !is_plain {
        sanitize(&mut map);
    }
    map
}

/// Whatever has a `grpc-status` is gRPC's; else both the HTTP status and the content type must be right.
fn check(http: StatusCode, fields: &Fields) -> Result<(), Status> {
    if http == StatusCode::OK && fields.is_grpc || fields.get(GRPC_STATUS.as_str()).is_some() {
        return Ok(());
    }
    let content_type = fields.get(CONTENT_TYPE.as_str()).map(HeaderValue::as_bytes);
    let is_grpc = content_type.is_some_and(|t| t.starts_with(b"application/grpc"));
    if http == StatusCode::OK && is_grpc {
        return Ok(());
    }
    let content_type = content_type.map_or_else(|| "none".into(), String::from_utf8_lossy);
    let text = format!("the answer is not gRPC's: HTTP status {http}, content-type {content_type}");
    Err(LocalError::NotGrpc(text.as_str().into()).status(code_of_http(http), text))
}

/// Mends what a stub would stumble over.
fn sanitize(headers: &mut HeaderMap) {
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
