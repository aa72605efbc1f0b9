//! Deadlines: one limit on the whole call, known to the server, and handed on to the calls that a handler makes.

use std::{error::Error, future, time::Duration};

use thalweg::{Channel, Server, context::ServerRequestExt, request::RequestExt};
use thalweg_examples::{Greeter, Handlers, Replies, code, hello, line, reply};
use thalweg_proto::demo::{
    HelloRepeatedlyRequest, HelloReply, HelloRequest, greeter_client::GreeterClient, greeter_server::GreeterServer,
};
use tokio::{
    net::TcpListener,
    sync::mpsc::{UnboundedSender, unbounded_channel},
};
use tokio_stream::StreamExt;
use tonic::{Request, Response, Status, async_trait};

/// Takes its time: for ever, unless it is asked how long it has.
struct Slow {
    events: UnboundedSender<&'static str>,
}

/// Tells that the handler which owns it is gone.
struct Farewell(UnboundedSender<&'static str>);

impl Drop for Farewell {
    fn drop(&mut self) {
        let _ = self.0.send("backend: the handler was dropped");
    }
}

#[async_trait]
impl Handlers for Slow {
    async fn say_hello(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        if request.get_ref().name == "how long have I got?" {
            let known = if request.deadline().is_some() { "a deadline" } else { "all the time in the world" };
            return Ok(Response::new(reply(known)));
        }
        let _farewell = Farewell(self.events.clone());
        future::pending().await
    }

    /// Replies twice and then falls silent.
    async fn say_hello_repeatedly(&self, _: Request<HelloRepeatedlyRequest>) -> Result<Response<Replies>, Status> {
        let two = tokio_stream::iter([Ok(reply("one")), Ok(reply("two"))]);
        Ok(Response::new(Box::pin(two.chain(tokio_stream::pending()))))
    }
}

/// Passes every greeting on to a backend, within its caller's deadline.
struct Frontend {
    backend: GreeterClient<Channel>,
}

#[async_trait]
impl Handlers for Frontend {
    async fn say_hello(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        let deadline = request.deadline();
        let mut onward = Request::new(request.into_inner());
        if let Some(deadline) = deadline {
            onward.set_deadline(deadline);
        }
        self.backend.clone().say_hello(onward).await
    }
}

/// Starts a server for `handlers` on a port of its own, and connects a client to it.
async fn start(handlers: impl Handlers) -> Result<GreeterClient<Channel>, Box<dyn Error>> {
    let service = GreeterServer::new(Greeter(handlers));
    let server = Server::builder().add_service(service).listen("127.0.0.1:0").bind().await?;
    let target = format!("ipv4:{}", server.local_addrs()[0]);
    tokio::spawn(server.run());
    Ok(GreeterClient::new(Channel::builder(target).build()?))
}

fn in_time<T>(message: T, time: Duration) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(time);
    request
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    const TIME: Duration = Duration::from_millis(200);
    let (sender, mut events) = unbounded_channel();
    let mut client = start(Slow { events: sender }).await?;

    println!("A unary call to a server that never answers, with a timeout of {TIME:?}:");
    let status = client.say_hello(in_time(hello("you"), TIME)).await.err().ok_or("it answered")?;
    println!("  client: {}", code(&status));
    println!("  {}", events.recv().await.ok_or("the server is gone")?);

    println!("A stream that begins well and then stalls:");
    let request = HelloRepeatedlyRequest::default();
    let mut replies = client.say_hello_repeatedly(in_time(request, TIME)).await?.into_inner();
    let status = loop {
        match replies.message().await {
            Ok(reply) => println!("  client: {}", reply.ok_or("the stream ended")?.message),
            Err(status) => break status,
        }
    };
    println!("  client: {}", code(&status));

    println!("A host that accepts connections and says nothing. The message tells where the time went:");
    let deaf = TcpListener::bind("127.0.0.1:0").await?;
    let mut nobody = GreeterClient::new(Channel::builder(format!("ipv4:{}", deaf.local_addr()?)).build()?);
    let status = nobody.say_hello(in_time(hello("you"), TIME)).await.err().ok_or("it answered")?;
    println!("  client: {}", line(&status));

    println!("A frontend that calls a backend hands the deadline on:");
    let mut frontend = start(Frontend { backend: client.clone() }).await?;
    let question = hello("how long have I got?");
    let answer = frontend.say_hello(question.clone()).await?.into_inner();
    println!("  without one, the backend has {}", answer.message);
    let answer = frontend.say_hello(in_time(question, TIME * 100)).await?.into_inner();
    println!("  with one, the backend has {}", answer.message);
    let status = frontend.say_hello(in_time(hello("you"), TIME)).await.err().ok_or("it answered")?;
    println!("  too slow, and the client gets {}", code(&status));
    println!("  {}", events.recv().await.ok_or("the server is gone")?);
    Ok(())
}
