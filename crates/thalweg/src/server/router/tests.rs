//! Paths find their services; what is not gRPC, or for nobody, is told so.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    task::{Context, Poll, Waker},
};

use http::{Request, Response, StatusCode};
use tonic::{Code, Status, body::Body};
use tower_service::Service;

use super::{Router, Table};

/// Answers every request with one response.
#[derive(Clone)]
struct Always(fn() -> Response<Body>);

impl Service<Request<Body>> for Always {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        ready(Ok((self.0)()))
    }
}

/// As tonic's generated services answer a method they do not have.
fn silent_unimplemented() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    response.headers_mut().insert("grpc-status", "12".parse().unwrap());
    response
}

fn request(path: &str) -> http::request::Builder {
    Request::post(path).header("content-type", "application/grpc")
}

fn ask(table: Table, request: http::request::Builder) -> Response<Body> {
    let mut answer = Router::new(table).call(request.body(Body::empty()).unwrap());
    match std::pin::Pin::new(&mut answer).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(response)) => response,
        Poll::Pending => panic!("the answer is not ready"),
    }
}

fn status(response: &Response<Body>) -> (Code, String) {
    let status = Status::from_header_map(response.headers()).unwrap();
    (status.code(), status.message().to_owned())
}

fn greeter(answer: fn() -> Response<Body>) -> Table {
    let mut table = Table::default();
    assert!(table.mount("demo.Greeter".to_owned(), Always(answer)));
    table
}

#[test]
fn an_unknown_service_is_named() {
    let response = ask(greeter(Response::default), request("/demo.Nobody/Hi"));
    assert_eq!(status(&response), (Code::Unimplemented, "unknown service demo.Nobody".to_owned()));
    assert_eq!(response.status(), StatusCode::OK);
}

#[test]
fn an_unknown_method_of_a_silent_service_is_named() {
    let response = ask(greeter(silent_unimplemented), request("/demo.Greeter/Wave"));
    assert_eq!(status(&response), (Code::Unimplemented, "unknown method Wave for service demo.Greeter".to_owned()));
}

#[test]
fn a_handler_that_says_unimplemented_is_left_alone() {
    let response = ask(greeter(|| Status::unimplemented("").into_http()), request("/demo.Greeter/Wave"));
    assert_eq!(status(&response), (Code::Unimplemented, String::new()));
}

#[test]
fn a_path_without_a_method_is_malformed() {
    let response = ask(greeter(Response::default), request("/demo.Greeter"));
    assert_eq!(status(&response), (Code::Unimplemented, "malformed method name: \"/demo.Greeter\"".to_owned()));
}

#[test]
fn another_content_type_is_refused_with_415() {
    for wrong in ["application/json", "application/grpc-web", "application/grpcx"] {
        let response = ask(greeter(Response::default), Request::post("/demo.Greeter/Hi").header("content-type", wrong));
        assert_eq!(response.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
        assert_eq!(status(&response).0, Code::InvalidArgument, "{wrong}");
    }
    for right in ["application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8"] {
        let response = ask(greeter(Response::default), Request::post("/demo.Greeter/Hi").header("content-type", right));
        assert_eq!(response.status(), StatusCode::OK, "{right}");
    }
}

#[test]
fn another_method_than_post_is_refused_with_405() {
    let get = Request::get("/demo.Greeter/Hi").header("content-type", "application/grpc");
    let response = ask(greeter(Response::default), get);
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(status(&response).0, Code::Internal);
}

#[test]
fn two_hosts_are_refused_with_400() {
    let response = ask(greeter(Response::default), request("/demo.Greeter/Hi").header("host", "a").header("host", "b"));
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(status(&response).0, Code::Internal);
}

#[test]
fn the_fallback_gets_what_nobody_else_does_even_if_it_is_not_grpc() {
    let mut table = greeter(Response::default);
    table.set_fallback(Always(|| Response::builder().status(204).body(Body::empty()).unwrap()));
    assert_eq!(ask(table, Request::get("/healthz")).status(), StatusCode::NO_CONTENT);
}

#[test]
fn a_service_is_mounted_once() {
    let mut table = greeter(Response::default);
    assert!(!table.mount("demo.Greeter".to_owned(), Always(Response::default)));
}
