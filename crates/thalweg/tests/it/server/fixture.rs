//! A server over in-memory streams with a greeter that does as it is told, and a client that sees every frame.

use std::{pin::Pin, time::Duration};

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use http::{HeaderMap, Request, Response};
use prost::Message;
use thalweg::{
    Server,
    context::{ServerRequestExt, TrailingMetadata},
    io::Io,
    server::{Listener, ServerBuilder, ServerHandle},
};
use thalweg_proto::demo::{
    HelloRepeatedlyRequest, HelloReply, HelloRequest,
    greeter_server::{Greeter, GreeterServer},
};
use tokio::{
    io::{DuplexStream, duplex},
    sync::mpsc,
    task::JoinHandle,
};
use tokio_stream::{Stream, StreamExt, wrappers::ReceiverStream};
use tonic::{
    Code, Extensions, Status, Streaming,
    metadata::{MetadataMap, MetadataValue},
};

/// Lets everything happen that happens without new input. Only on paused time.
pub(crate) async fn settle() {
    let _ = tokio::time::timeout(Duration::from_millis(10), std::future::pending::<()>()).await;
}

/// What the greeter reports of its handlers.
#[derive(Debug)]
pub(crate) enum Event {
    Started,
    Dropped,
    Read(Result<Option<String>, Status>),
    Sent,
}

/// A greeter whose every request says by its `name` what to do.
#[derive(Clone)]
pub(crate) struct Script {
    events: mpsc::UnboundedSender<Event>,
}

/// Reports when a handler is dropped.
struct Guard(Script);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.report(Event::Dropped);
    }
}

type Replies = Pin<Box<dyn Stream<Item = Result<HelloReply, Status>> + Send>>;

impl Script {
    fn report(&self, event: Event) {
        let _ = self.events.send(event);
    }

    fn start(&self) -> Guard {
        self.report(Event::Started);
        Guard(self.clone())
    }

    async fn read(&self, mut requests: Streaming<HelloRequest>) -> Result<Vec<String>, Status> {
        let mut names = vec![];
        loop {
            let read = requests.message().await.map(|message| message.map(|message| message.name));
            self.report(Event::Read(read.clone()));
            match read? {
                Some(name) => names.push(name),
                None => return Ok(names),
            }
        }
    }
}

fn reply(message: impl Into<String>) -> HelloReply {
    HelloReply { message: message.into(), ..HelloReply::default() }
}

fn add_trailers(trailers: &TrailingMetadata) {
    trailers.insert("x-cost", "12".parse().unwrap());
    trailers.insert_bin("x-trace-bin", MetadataValue::from_bytes(&[0, 255]));
}

#[tonic::async_trait]
impl Greeter for Script {
    async fn say_hello(&self, request: tonic::Request<HelloRequest>) -> Result<tonic::Response<HelloReply>, Status> {
        let _guard = self.start();
        let trailers = request.trailers();
        match request.get_ref().name.as_str() {
            "hang" => return std::future::pending().await,
            "stay" => request.going_away().await,
            "panic" => panic!("a secret"),
            "trailers" => add_trailers(&trailers),
            "fail" => {
                add_trailers(&trailers);
                return Err(Status::not_found("nobody of that name"));
            }
            name @ ("hop" | "hop and fail") => {
                let hop = "close".parse::<MetadataValue<_>>().unwrap();
                trailers.insert("connection", hop.clone());
                let mut metadata = MetadataMap::new();
                metadata.insert("connection", hop);
                if name == "hop" {
                    return Ok(tonic::Response::from_parts(metadata, reply(name), Extensions::default()));
                }
                return Err(Status::with_metadata(Code::NotFound, "nobody of that name", metadata));
            }
            "not mine" => return Err(Status::unimplemented("")),
            "peer" => return Ok(tonic::Response::new(reply(format!("{:?}", request.peer().unwrap())))),
            "deadline" => {
                let left =
                    request.deadline().map(|at| at.saturating_duration_since(tokio::time::Instant::now().into_std()));
                return Ok(tonic::Response::new(reply(format!("{left:?}"))));
            }
            "large" => return Ok(tonic::Response::new(reply("x".repeat(100_000)))),
            "slow" => {
                tokio::time::timeout(Duration::from_secs(10), std::future::pending::<()>()).await.unwrap_or_default()
            }
            _ => {}
        }
        Ok(tonic::Response::new(reply(format!("hello {}", request.get_ref().name))))
    }

    type SayHelloRepeatedlyStream = Replies;

    async fn say_hello_repeatedly(
        &self,
        request: tonic::Request<HelloRepeatedlyRequest>,
    ) -> Result<tonic::Response<Replies>, Status> {
        let (guard, trailers, times) = (self.start(), request.trailers(), request.get_ref().times);
        let (name, script) = (request.into_inner().name, self.clone());
        let replies = tokio_stream::iter(0..times).map(move |n| {
            script.report(Event::Sent);
            match name.as_str() {
                "panic" if n == 1 => panic!("a secret"),
                "fail" if n == 1 => Err(Status::aborted("enough")),
                "trailers" => {
                    trailers.append("x-step", n.into());
                    Ok(reply("step"))
                }
                "large" => Ok(reply("x".repeat(10_000))),
                name => Ok(reply(format!("hello {name}"))),
            }
        });
        // The end of the stream, or, after three messages, what never comes to an end.
        let end = tokio_stream::iter((times == 3).then_some(())).then(move |()| {
            let _ = &guard;
            std::future::pending()
        });
        let stream = replies.chain(end);
        Ok(tonic::Response::new(Box::pin(stream)))
    }

    async fn say_hello_to_all(
        &self,
        request: tonic::Request<Streaming<HelloRequest>>,
    ) -> Result<tonic::Response<HelloReply>, Status> {
        let _guard = self.start();
        let mode = request.metadata().get("x-mode").cloned();
        match mode.as_ref().map(|mode| mode.to_str().unwrap()) {
            // A reader that outlives its handler.
            Some("spawn") => {
                let script = self.clone();
                tokio::spawn(async move { script.read(request.into_inner()).await });
                return std::future::pending().await;
            }
            Some("early") => return Err(Status::already_exists("no need to go on")),
            Some("ignore") => return std::future::pending().await,
            _ => {}
        }
        let names = self.read(request.into_inner()).await?;
        Ok(tonic::Response::new(reply(names.join(" and "))))
    }

    type ChatStream = Replies;

    async fn chat(&self, request: tonic::Request<Streaming<HelloRequest>>) -> Result<tonic::Response<Replies>, Status> {
        let guard = self.start();
        let replies = request.into_inner().map(move |request| {
            let _ = &guard;
            Ok(reply(format!("hello {}", request?.name)))
        });
        Ok(tonic::Response::new(Box::pin(replies)))
    }
}

/// A greeter, and what it reports.
pub(crate) fn greeter() -> (GreeterServer<Script>, mpsc::UnboundedReceiver<Event>) {
    let (events, reports) = mpsc::unbounded_channel();
    (GreeterServer::new(Script { events }), reports)
}

/// A server at work.
pub(crate) struct World {
    pub(crate) handle: ServerHandle,
    pub(crate) listener: mpsc::Sender<std::io::Result<DuplexStream>>,
    events: mpsc::UnboundedReceiver<Event>,
    pub(crate) run: JoinHandle<()>,
}

impl World {
    pub(crate) async fn new(configure: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        let (greeter, events) = greeter();
        let (listener, connections) = mpsc::channel(1);
        let builder =
            Server::builder().add_service(greeter).listen(Listener::incoming(ReceiverStream::new(connections)));
        let server = configure(builder).bind().await.unwrap();
        let handle = server.handle();
        Self { handle, listener, events, run: tokio::spawn(server.run()) }
    }

    pub(crate) async fn plain() -> Self {
        Self::new(|builder| builder).await
    }

    /// The client's end of a new connection, on which nothing is said yet.
    pub(crate) async fn pipe(&self) -> DuplexStream {
        self.pipe_of(1 << 20).await
    }

    pub(crate) async fn pipe_of(&self, size: usize) -> DuplexStream {
        let (ours, theirs) = duplex(size);
        self.listener.send(Ok(theirs)).await.unwrap();
        ours
    }

    /// The listener fails to accept.
    pub(crate) async fn accept_error(&self, kind: std::io::ErrorKind) {
        self.listener.send(Err(kind.into())).await.unwrap();
    }

    pub(crate) async fn connect(&self) -> Client {
        Client::new(self.pipe().await).await
    }

    /// What the greeter reports next.
    pub(crate) async fn event(&mut self) -> Event {
        self.events.recv().await.unwrap()
    }

    /// What the greeter has reported and nobody has read.
    pub(crate) fn events_so_far(&mut self) -> usize {
        std::iter::from_fn(|| self.events.try_recv().ok()).count()
    }
}

/// A client with one connection.
pub(crate) struct Client {
    pub(crate) send: SendRequest<Bytes>,
    pub(crate) connection: JoinHandle<Result<(), h2::Error>>,
}

pub(crate) const SAY_HELLO: &str = "/thalweg.demo.v1.Greeter/SayHello";
pub(crate) const REPEATEDLY: &str = "/thalweg.demo.v1.Greeter/SayHelloRepeatedly";
pub(crate) const TO_ALL: &str = "/thalweg.demo.v1.Greeter/SayHelloToAll";
pub(crate) const CHAT: &str = "/thalweg.demo.v1.Greeter/Chat";

/// A request as gRPC's clients make it.
pub(crate) fn post(path: &str) -> http::request::Builder {
    Request::post(format!("http://test{path}")).header("content-type", "application/grpc").header("te", "trailers")
}

/// A message with its prefix.
pub(crate) fn frame(message: &impl Message) -> Bytes {
    let mut bytes = vec![0];
    bytes.extend((message.encoded_len() as u32).to_be_bytes());
    message.encode(&mut bytes).unwrap();
    bytes.into()
}

pub(crate) fn hello(name: &str) -> Bytes {
    frame(&HelloRequest { name: name.to_owned() })
}

pub(crate) fn repeat(name: &str, times: u32) -> Bytes {
    frame(&HelloRepeatedlyRequest { name: name.to_owned(), times, interval_ms: 0 })
}

impl Client {
    pub(crate) async fn new(io: impl Io) -> Self {
        Self::with(h2::client::Builder::new().initial_window_size(1 << 20), io).await
    }

    pub(crate) async fn with(builder: &h2::client::Builder, io: impl Io) -> Self {
        let (send, connection) = builder.handshake(io).await.unwrap();
        Self { send, connection: tokio::spawn(connection) }
    }

    /// Opens a call whose request goes on.
    pub(crate) async fn open(&mut self, request: http::request::Builder) -> (ResponseFuture, h2::SendStream<Bytes>) {
        let mut ready = self.send.clone().ready().await.unwrap();
        ready.send_request(request.body(()).unwrap(), false).unwrap()
    }

    /// A call with one message; the answer is yet to come.
    pub(crate) async fn ask(&mut self, request: http::request::Builder, message: Bytes) -> ResponseFuture {
        let (response, mut body) = self.open(request).await;
        body.send_data(message, true).unwrap();
        response
    }

    /// A call with one message, to its end.
    pub(crate) async fn call(&mut self, path: &str, message: Bytes) -> Answer {
        let response = self.ask(post(path), message).await;
        Answer::of(response).await.unwrap()
    }
}

/// All of a response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: Response<()>,
    pub(crate) body: Vec<u8>,
    /// `None` if the headers were all of it.
    pub(crate) trailers: Option<HeaderMap>,
}

impl Answer {
    pub(crate) async fn of(response: ResponseFuture) -> Result<Self, h2::Error> {
        let (head, mut stream) = response.await?.into_parts();
        let mut body = vec![];
        while let Some(data) = stream.data().await {
            let data = data?;
            stream.flow_control().release_capacity(data.len())?;
            body.extend(data);
        }
        let trailers = stream.trailers().await?;
        Ok(Self { head: Response::from_parts(head, ()), body, trailers })
    }

    pub(crate) fn end(&self) -> &HeaderMap {
        self.trailers.as_ref().unwrap_or_else(|| self.head.headers())
    }

    pub(crate) fn status(&self) -> (Code, String) {
        let status = Status::from_header_map(self.end()).expect("a response has a status");
        (status.code(), status.message().to_owned())
    }

    pub(crate) fn code(&self) -> Code {
        self.status().0
    }

    pub(crate) fn messages(&self) -> Vec<String> {
        let (mut messages, mut rest) = (vec![], &self.body[..]);
        while let [0, a, b, c, d, tail @ ..] = rest {
            let (message, tail) = tail.split_at(u32::from_be_bytes([*a, *b, *c, *d]) as usize);
            messages.push(HelloReply::decode(message).unwrap().message);
            rest = tail;
        }
        messages
    }
}
