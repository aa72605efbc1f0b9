//! What answers which request: services, routes, the fallback, and layers around all.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use thalweg::context::ServerCall;
use thalweg_testkit::peer::Peer;
use tonic::{Code, body::Body};
use tower_layer::layer_fn;
use tower_service::Service;

use super::fixture::{Answer, SAY_HELLO, World, hello};

/// A body of one chunk.
struct OneChunk(Option<Bytes>);

impl http_body::Body for OneChunk {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|chunk| Ok(http_body::Frame::data(chunk))))
    }
}

/// A service that takes a moment to be ready, and then fails or says its path.
#[derive(Clone, Default)]
struct SayPath {
    polled: bool,
    fails: bool,
}

impl Service<Request<Body>> for SayPath {
    type Response = Response<OneChunk>;
    type Error = std::io::Error;
    type Future = Ready<std::io::Result<Response<OneChunk>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        if self.polled {
            return Poll::Ready(Ok(()));
        }
        self.polled = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        assert!(self.polled, "called before it was ready");
        if self.fails {
            return ready(Err(std::io::Error::other("out of paper")));
        }
        ready(Ok(Response::new(OneChunk(Some(request.uri().path().to_owned().into())))))
    }
}

/// Notes its name on the way in.
#[derive(Clone)]
struct Note<S>(&'static str, S);

impl<S: Service<Request<Body>>> Service<Request<Body>> for Note<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.1.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> S::Future {
        request.headers_mut().append("x-note", HeaderValue::from_static(self.0));
        self.1.call(request)
    }
}

/// Says something of a request.
#[derive(Clone)]
struct Say(fn(&Request<Body>) -> String);

impl Service<Request<Body>> for Say {
    type Response = Response<OneChunk>;
    type Error = Infallible;
    type Future = Ready<Result<Response<OneChunk>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        ready(Ok(Response::new(OneChunk(Some(self.0(&request).into())))))
    }
}

/// Which notes it bears.
fn notes(request: &Request<Body>) -> String {
    let notes: Vec<&str> = request.headers().get_all("x-note").iter().map(|note| note.to_str().unwrap()).collect();
    notes.join(",")
}

/// Whom it is for.
fn whom(request: &Request<Body>) -> String {
    format!("{:?} {:?}", request.uri().authority(), request.headers().get("host"))
}

/// As grpc-go does it (A41), which is less than what RFC 9113 section 8.3.1 would have servers refuse.
#[tokio::test(start_paused = true)]
async fn a_host_says_whom_a_request_is_for_only_if_nothing_else_does() {
    let world = World::new(|server| server.add_route("demo.Whom", Say(whom))).await;
    let mut client = Peer::new(world.pipe().await);
    client.send_preface(&[]).await;
    let head = [(":method", "POST"), (":scheme", "http"), (":path", "/demo.Whom/Say")];
    let grpc = [("te", "trailers"), ("content-type", "application/grpc")];
    let (said, host) = ((":authority", "said:1"), ("host", "other:2"));
    let cases = [(vec![said, host], "Some(said:1) None"), (vec![host], "Some(other:2) None"), (vec![], "None None")];
    for (stream, (whom, expected)) in [1, 3, 5].into_iter().zip(cases) {
        client.send_trailers(stream, &[&head[..], &whom, &grpc].concat()).await;
        client.expect_headers_on(stream).await;
        assert_eq!(client.expect_data(stream).await.bytes, expected);
    }
    client.send_trailers(7, &[&head[..], &[said, host, host], &grpc].concat()).await;
    assert_eq!(client.expect_reset(7).await, 1, "PROTOCOL_ERROR");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_service_or_method_is_unimplemented_by_name() {
    let mut client = World::plain().await.connect().await;
    let answer = client.call("/thalweg.demo.v1.Nobody/SayHello", hello("ann")).await;
    assert_eq!(answer.status(), (Code::Unimplemented, "unknown service thalweg.demo.v1.Nobody".to_owned()));
    let answer = client.call("/thalweg.demo.v1.Greeter/Wave", hello("ann")).await;
    let message = "unknown method Wave for service thalweg.demo.v1.Greeter";
    assert_eq!(answer.status(), (Code::Unimplemented, message.to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_is_not_implemented_says_so_itself() {
    let mut client = World::plain().await.connect().await;
    let answer = client.call(SAY_HELLO, hello("not mine")).await;
    assert_eq!(answer.status(), (Code::Unimplemented, String::new()));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_not_grpc_is_told_in_words_of_http() {
    let mut client = World::plain().await.connect().await;
    let get = Request::get(format!("http://test{SAY_HELLO}")).header("content-type", "application/grpc");
    let json = Request::post(format!("http://test{SAY_HELLO}")).header("content-type", "application/json");
    for (request, http, code) in [(get, 405, Code::Internal), (json, 415, Code::InvalidArgument)] {
        let answer = Answer::of(client.ask(request, Bytes::new()).await).await.unwrap();
        assert_eq!((answer.head.status().as_u16(), answer.code()), (http, code));
    }
}

#[tokio::test(start_paused = true)]
async fn any_tower_service_can_be_mounted() {
    let world = World::new(|server| server.add_route("demo.Paths", SayPath::default())).await;
    let mut client = world.connect().await;
    for _ in 0..2 {
        let answer = client.call("/demo.Paths/Any", hello("ann")).await;
        assert_eq!(answer.body, b"/demo.Paths/Any");
    }
}

#[tokio::test(start_paused = true)]
async fn the_error_of_a_service_becomes_a_status() {
    let failing = SayPath { fails: true, ..SayPath::default() };
    let world = World::new(|server| server.add_route("demo.Paths", failing)).await;
    let answer = world.connect().await.call("/demo.Paths/Any", hello("ann")).await;
    assert_eq!(answer.status(), (Code::Unknown, "out of paper".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn the_fallback_serves_what_is_not_mounted_even_if_it_is_not_grpc() {
    let world = World::new(|server| server.fallback(SayPath::default())).await;
    let mut client = world.connect().await;
    let request = Request::get("http://test/healthz");
    let answer = Answer::of(client.ask(request, Bytes::new()).await).await.unwrap();
    assert_eq!(answer.body, b"/healthz");
    assert_eq!(client.call(SAY_HELLO, hello("ann")).await.code(), Code::Ok);
}

#[tokio::test(start_paused = true)]
async fn the_layer_added_first_sees_a_request_first() {
    let world = World::new(|server| {
        let server = server.add_route("demo.Notes", Say(notes));
        server.layer(layer_fn(|within| Note("first", within))).layer(layer_fn(|within| Note("second", within)))
    })
    .await;
    let mut client = world.connect().await;
    assert_eq!(client.call("/demo.Notes/Any", hello("ann")).await.body, b"first,second");
    assert_eq!(client.call(SAY_HELLO, hello("ann")).await.messages(), ["hello ann"]);
    assert_eq!(client.call("/demo.Nobody/Any", hello("ann")).await.code(), Code::Unimplemented);
}

/// Answers with headers that HTTP/2 forbids, in its head and in its trailers.
#[derive(Clone)]
struct OfTheConnection;

const OF_THE_CONNECTION: [&str; 6] =
    ["connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"];

/// A body of trailers alone.
struct Trailers(Option<HeaderMap>);

impl http_body::Body for Trailers {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|trailers| Ok(http_body::Frame::trailers(trailers))))
    }
}

impl Service<Request<Body>> for OfTheConnection {
    type Response = Response<Trailers>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Trailers>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let value = || HeaderValue::from_static("close");
        let mut headers = HeaderMap::new();
        headers.insert("x-mine", value());
        for name in OF_THE_CONNECTION {
            headers.append(name, value());
            headers.append(name, value());
        }
        let call = request.extensions().get::<ServerCall>().unwrap();
        call.trailers().insert("connection", "close".parse().unwrap());
        let with_trailers = request.uri().path().ends_with("Trailers");
        let mut response = Response::new(Trailers(with_trailers.then(|| headers.clone())));
        *response.headers_mut() = headers;
        ready(Ok(response))
    }
}

#[tokio::test(start_paused = true)]
async fn headers_of_a_connection_are_left_out_of_a_response() {
    let world = World::new(|server| server.add_route("demo.Old", OfTheConnection)).await;
    let mut client = world.connect().await;
    for path in ["/demo.Old/Headers", "/demo.Old/Trailers"] {
        let answer = client.call(path, hello("ann")).await;
        for headers in [answer.head.headers(), answer.end()] {
            assert_eq!(headers["x-mine"], "close");
            assert!(OF_THE_CONNECTION.iter().all(|name| !headers.contains_key(*name)), "{headers:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn headers_of_a_connection_are_left_out_of_a_handlers_metadata() {
    let mut client = World::plain().await.connect().await;
    for name in ["hop", "hop and fail"] {
        let answer = client.call(SAY_HELLO, hello(name)).await;
        assert_eq!(answer.code(), if name == "hop" { Code::Ok } else { Code::NotFound });
        assert!(!answer.end().contains_key("connection") && !answer.head.headers().contains_key("connection"));
    }
}
