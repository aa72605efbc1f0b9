//! A greeter with nothing special about it, until an example replaces a method.

use std::pin::Pin;

use thalweg_proto::demo::{HelloRepeatedlyRequest, HelloReply, HelloRequest, greeter_server};
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming, async_trait};

use crate::reply;

/// A stream of replies.
pub type Replies = Pin<Box<dyn Stream<Item = Result<HelloReply, Status>> + Send>>;

/// The four methods of the greeter of `thalweg.demo.v1`, each of which greets unless an example says otherwise.
#[async_trait]
pub trait Handlers: Send + Sync + 'static {
    /// One request, one reply.
    async fn say_hello(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        Ok(Response::new(greeting(&request.into_inner())))
    }

    /// One request, many replies.
    async fn say_hello_repeatedly(
        &self,
        request: Request<HelloRepeatedlyRequest>,
    ) -> Result<Response<Replies>, Status> {
        let HelloRepeatedlyRequest { name, times, .. } = request.into_inner();
        let replies = (1..=times).map(move |n| Ok(reply(format!("hello {name}, number {n}"))));
        Ok(Response::new(Box::pin(tokio_stream::iter(replies))))
    }

    /// Many requests, one reply.
    async fn say_hello_to_all(
        &self,
        request: Request<Streaming<HelloRequest>>,
    ) -> Result<Response<HelloReply>, Status> {
        let names: Vec<_> = request.into_inner().map(|hello| hello.map(|hello| hello.name)).collect().await;
        let names: Vec<_> = names.into_iter().collect::<Result<_, _>>()?;
        Ok(Response::new(reply(format!("hello {}", names.join(", ")))))
    }

    /// A reply to each request.
    async fn chat(&self, request: Request<Streaming<HelloRequest>>) -> Result<Response<Replies>, Status> {
        let replies = request.into_inner().map(|hello| hello.map(|hello| greeting(&hello)));
        Ok(Response::new(Box::pin(replies)))
    }
}

fn greeting(hello: &HelloRequest) -> HelloReply {
    reply(format!("hello {}", hello.name))
}

/// A service for `GreeterServer::new` that answers with these handlers.
#[derive(Clone, Copy, Debug)]
pub struct Greeter<H>(pub H);

#[async_trait]
impl<H: Handlers> greeter_server::Greeter for Greeter<H> {
    type SayHelloRepeatedlyStream = Replies;
    type ChatStream = Replies;

    async fn say_hello(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        self.0.say_hello(request).await
    }

    async fn say_hello_repeatedly(
        &self,
        request: Request<HelloRepeatedlyRequest>,
    ) -> Result<Response<Replies>, Status> {
        self.0.say_hello_repeatedly(request).await
    }

    async fn say_hello_to_all(
        &self,
        request: Request<Streaming<HelloRequest>>,
    ) -> Result<Response<HelloReply>, Status> {
        self.0.say_hello_to_all(request).await
    }

    async fn chat(&self, request: Request<Streaming<HelloRequest>>) -> Result<Response<Replies>, Status> {
        self.0.chat(request).await
    }
}
