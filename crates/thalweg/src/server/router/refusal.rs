//! The answers to requests that are not gRPC's, or for nobody (doc/PROTOCOL-HTTP2; the codes are grpc-go's).

use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use thalweg_core::deadline::TimeoutError;
use tonic::{Code, Status, body::Body};

use super::split;
use crate::error::LocalError;

/// The answer to a request that is not a gRPC request; `None` if it is one.
pub(super) fn of(request: &Request<Body>) -> Option<Response<Body>> {
    let headers = request.headers();
    if headers.get_all(header::HOST).iter().nth(1).is_some() {
        return Some(malformed(StatusCode::BAD_REQUEST, Code::Internal, "more than one host".to_owned()));
    }
    if !is_grpc(headers) {
        let got = headers.get(header::CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes()).escape_ascii();
        let reason = format!("the content-type is \"{got}\", not application/grpc");
        return Some(malformed(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::InvalidArgument, reason));
    }
    if request.method() != Method::POST {
        let reason = format!("the method is {}, not POST", request.method());
        return Some(malformed(StatusCode::METHOD_NOT_ALLOWED, Code::Internal, reason));
    }
    None
}

/// The most of a path that an answer repeats: percent-encoding makes three bytes of one.
const REPEATED: usize = 200;

/// The answer for a path that nothing is mounted on.
pub(super) fn not_mounted(path: &str) -> Response<Body> {
    let message = match split(path) {
        Some((service, _)) => format!("unknown service {}", shortened(service)),
        None => format!("malformed method name: {:?}", shortened(path)),
    };
    LocalError::Unimplemented.status(Code::Unimplemented, message).into_http()
}

fn shortened(text: &str) -> &str {
    let end = text.char_indices().map(|(at, _)| at).find(|at| *at >= REPEATED);
    end.map_or(text, |end| &text[..end])
}

/// The answer to a `grpc-timeout` that is none.
pub(in crate::server) fn malformed_timeout(error: &TimeoutError) -> Response<Body> {
    malformed(StatusCode::BAD_REQUEST, Code::Internal, error.to_string())
}

/// An answer that says the same in words of HTTP and of gRPC.
fn malformed(http: StatusCode, code: Code, reason: String) -> Response<Body> {
    let message = format!("malformed request: {reason}");
    let status: Status = LocalError::MalformedRequest(reason.into()).status(code, message);
    let mut response = status.into_http();
    *response.status_mut() = http;
    response
}

/// `application/grpc`, alone or followed by `+` or `;` and anything.
fn is_grpc(headers: &HeaderMap) -> bool {
    let rest = headers.get(header::CONTENT_TYPE).and_then(|value| value.as_bytes().strip_prefix(b"application/grpc"));
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}
