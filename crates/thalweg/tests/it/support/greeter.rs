//! A greeter whose every request says by its `name` what to do.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use thalweg::context::ServerRequestExt;
use thalweg_proto::demo::{HelloRepeatedlyRequest, HelloReply, HelloRequest, greeter_server::Greeter};
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming, metadata::MetadataValue};

use super::pass;

/// The greeter of one backend.
#[derive(Clone)]
pub(crate) struct Backend {
    pub(super) address: &'static str,
    /// How many handlers have begun.
    pub(super) begun: Arc<AtomicUsize>,
    /// How many of them are still there.
    pub(super) present: Arc<AtomicUsize>,
}

/// Counts a handler for as long as it lives.
struct Presence(Arc<AtomicUsize>);

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

type Replies = Pin<Box<dyn Stream<Item = Result<HelloReply, Status>> + Send>>;

impl Backend {
    pub(crate) fn new(address: &'static str) -> Self {
        Self { address, begun: Arc::default(), present: Arc::default() }
    }

    fn enter(&self) -> Presence {
        self.begun.fetch_add(1, Relaxed);
        self.present.fetch_add(1, Relaxed);
        Presence(self.present.clone())
    }

    fn reply(&self, message: impl Into<String>) -> HelloReply {
        HelloReply { message: message.into(), backend: self.address.to_owned() }
    }

    fn failure() -> Status {
        let mut status = Status::with_details(tonic::Code::NotFound, "nobody: 100 % of them, señor", "why".into());
        status.metadata_mut().insert("x-reason", "asleep".parse().unwrap());
        status
    }
}

#[tonic::async_trait]
impl Greeter for Backend {
    async fn say_hello(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        let _presence = self.enter();
        let name = request.get_ref().name.as_str();
        let words: Vec<_> = name.split(' ').collect();
        match words[..] {
            ["hang"] => std::future::pending().await,
            ["fail"] => Err(Self::failure()),
            ["wait", millis] => {
                pass(Duration::from_millis(millis.parse().unwrap())).await;
                Ok(Response::new(self.reply("hello at last")))
            }
            ["large", size] => Ok(Response::new(self.reply("x".repeat(size.parse().unwrap())))),
            ["read", key] => {
                let value = request.metadata().get(key).map_or("none", |value| value.to_str().unwrap());
                Ok(Response::new(self.reply(value)))
            }
            ["metadata"] => {
                let metadata = request.metadata();
                let mut response = Response::new(self.reply("metadata"));
                response.metadata_mut().insert("x-text", metadata.get("x-text").unwrap().clone());
                response.metadata_mut().insert_bin("x-bytes-bin", metadata.get_bin("x-bytes-bin").unwrap().clone());
                request.trailers().insert("x-cost", "12".parse().unwrap());
                request.trailers().insert_bin("x-trace-bin", MetadataValue::from_bytes(&[0, 255]));
                Ok(response)
            }
            _ => Ok(Response::new(self.reply(format!("hello {name}")))),
        }
    }

    type SayHelloRepeatedlyStream = Replies;

    async fn say_hello_repeatedly(
        &self,
        request: Request<HelloRepeatedlyRequest>,
    ) -> Result<Response<Replies>, Status> {
        let (presence, backend, trailers) = (Arc::new(self.enter()), self.clone(), request.trailers());
        let tail = presence.clone();
        let HelloRepeatedlyRequest { name, times, interval_ms } = request.into_inner();
        let stays = name == "stay";
        let replies = tokio_stream::iter(0..times).then(move |n| {
            let (_, backend, trailers) = (&presence, backend.clone(), trailers.clone());
            let name = name.clone();
            async move {
                pass(Duration::from_millis(interval_ms.into())).await;
                match name.as_str() {
                    "fail" if n == 1 => return Err(Self::failure()),
                    "trailers" => trailers.insert("x-cost", n.into()),
                    _ => {}
                }
                Ok(backend.reply(format!("hello {name}")))
            }
        });
        let end = tokio_stream::iter(stays.then_some(())).then(move |()| {
            let _ = &tail;
            std::future::pending()
        });
        Ok(Response::new(Box::pin(replies.chain(end))))
    }

    async fn say_hello_to_all(
        &self,
        request: Request<Streaming<HelloRequest>>,
    ) -> Result<Response<HelloReply>, Status> {
        let _presence = self.enter();
        let mut requests = request.into_inner();
        let mut names = vec![];
        while let Some(request) = requests.message().await? {
            names.push(request.name);
        }
        Ok(Response::new(self.reply(format!("hello {}", names.join(" and ")))))
    }

    type ChatStream = Replies;

    async fn chat(&self, request: Request<Streaming<HelloRequest>>) -> Result<Response<Replies>, Status> {
        let (presence, backend) = (self.enter(), self.clone());
        let replies = request.into_inner().map(move |request| {
            let _ = &presence;
            Ok(backend.reply(format!("hello {}", request?.name)))
        });
        Ok(Response::new(Box::pin(replies)))
    }
}
