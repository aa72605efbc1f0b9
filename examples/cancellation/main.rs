//! Cancellation: dropping a call stops the work it caused, on every server that it reached.

use std::{error::Error, future};

use thalweg::{Channel, Server};
use thalweg_examples::{Greeter, Handlers, Replies, hello, reply};
use thalweg_proto::demo::{
    HelloRepeatedlyRequest, HelloReply, HelloRequest, greeter_client::GreeterClient, greeter_server::GreeterServer,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_stream::StreamExt;
use tonic::{Request, Response, Status, async_trait};

/// Tells when work begins and when it is dropped.
struct Work {
    name: &'static str,
    events: UnboundedSender<String>,
}

impl Work {
    fn begin(name: &'static str, events: &UnboundedSender<String>) -> Self {
        let _ = events.send(format!("{name} begins"));
        Self { name, events: events.clone() }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let _ = self.events.send(format!("{} is dropped", self.name));
    }
}

/// Works until somebody stops it.
struct Backend {
    events: UnboundedSender<String>,
}

#[async_trait]
impl Handlers for Backend {
    async fn say_hello(&self, _: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        let _work = Work::begin("the backend's handler", &self.events);
        future::pending().await
    }

    async fn say_hello_repeatedly(&self, _: Request<HelloRepeatedlyRequest>) -> Result<Response<Replies>, Status> {
        let work = Work::begin("the stream", &self.events);
        let replies = tokio_stream::iter(1..).map(move |n| Ok(reply(format!("{n}: {} goes on", work.name))));
        Ok(Response::new(Box::pin(replies)))
    }
}

/// Waits for the backend.
struct Frontend {
    backend: GreeterClient<Channel>,
    events: UnboundedSender<String>,
}

#[async_trait]
impl Handlers for Frontend {
    async fn say_hello(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        let _work = Work::begin("the frontend's handler", &self.events);
        self.backend.clone().say_hello(request.into_inner()).await
    }
}

async fn start(handlers: impl Handlers) -> Result<GreeterClient<Channel>, Box<dyn Error>> {
    let service = GreeterServer::new(Greeter(handlers));
    let server = Server::builder().add_service(service).listen("127.0.0.1:0").bind().await?;
    let target = format!("ipv4:{}", server.local_addrs()[0]);
    tokio::spawn(server.run());
    Ok(GreeterClient::new(Channel::builder(target).build()?))
}

/// Prints the next event.
async fn show(events: &mut UnboundedReceiver<String>) -> Result<(), Box<dyn Error>> {
    println!("  {}", events.recv().await.ok_or("the servers are gone")?);
    Ok(())
}

/// On one thread, so that the order of events is the order of their causes.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (sender, mut events) = unbounded_channel();
    let mut backend = start(Backend { events: sender.clone() }).await?;
    let mut frontend = start(Frontend { backend: backend.clone(), events: sender }).await?;

    println!("A call through a frontend to a backend, dropped halfway:");
    let call = tokio::spawn(async move { frontend.say_hello(hello("you")).await });
    show(&mut events).await?;
    show(&mut events).await?;
    call.abort();
    println!("  the client drops the call");
    show(&mut events).await?;
    show(&mut events).await?;

    println!("An endless stream, of which we want two messages:");
    let mut replies = backend.say_hello_repeatedly(HelloRepeatedlyRequest::default()).await?.into_inner();
    show(&mut events).await?;
    for _ in 0..2 {
        println!("  {}", replies.message().await?.ok_or("the stream ended")?.message);
    }
    drop(replies);
    println!("  the client drops the stream");
    show(&mut events).await
}
