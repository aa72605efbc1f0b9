//! Interceptors: code around every call, on either side, as tonic's interceptors or as tower layers.

use std::error::Error;

use thalweg::{Channel, Server};
use thalweg_examples::{Greeter, Handlers, hello, line, reply};
use thalweg_proto::demo::{HelloReply, HelloRequest, greeter_client::GreeterClient, greeter_server::GreeterServer};
use tokio::sync::mpsc::unbounded_channel;
use tonic::{Request, Response, Status, async_trait};
use tower::{ServiceBuilder, util::MapRequestLayer};

/// Greets the user that the interceptor made out.
struct Personal;

/// Who calls, put into the request by the server's interceptor.
#[derive(Clone)]
struct User(String);

#[async_trait]
impl Handlers for Personal {
    async fn say_hello(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        let User(user) = request.extensions().get().cloned().ok_or_else(|| Status::internal("nobody checked"))?;
        Ok(Response::new(reply(format!("hello {}, says {user}", request.into_inner().name))))
    }
}

/// The server's interceptor: lets in those who say who they are.
fn check(mut request: Request<()>) -> Result<Request<()>, Status> {
    let user = request.metadata().get("x-user").and_then(|user| user.to_str().ok()).map(str::to_owned);
    let user = user.ok_or_else(|| Status::unauthenticated("who are you?"))?;
    request.extensions_mut().insert(User(user));
    Ok(request)
}

/// The client's interceptor: says who we are.
fn introduce(mut request: Request<()>) -> Result<Request<()>, Status> {
    request.metadata_mut().insert("x-user", "ada".parse().map_err(|_| Status::internal("not ASCII"))?);
    Ok(request)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A tower layer around all services of the server, which sees requests as HTTP has them.
    let (sender, mut log) = unbounded_channel();
    let server_layer = MapRequestLayer::new(move |request: http::Request<_>| {
        let _ = sender.send(format!("server layer: {}", request.uri().path()));
        request
    });
    let service = GreeterServer::with_interceptor(Greeter(Personal), check);
    let server = Server::builder().layer(server_layer).add_service(service).listen("127.0.0.1:0").bind().await?;
    let channel = Channel::builder(format!("ipv4:{}", server.local_addrs()[0])).build()?;
    tokio::spawn(server.run());

    println!("A client without an interceptor:");
    let status = GreeterClient::new(channel.clone()).say_hello(hello("you")).await.err().ok_or("it answered")?;
    println!("  {}", log.recv().await.ok_or("no log")?);
    println!("  client: {}", line(&status));

    println!("A client with an interceptor:");
    let mut client = GreeterClient::with_interceptor(channel.clone(), introduce);
    let reply = client.say_hello(hello("you")).await?.into_inner();
    println!("  {}", log.recv().await.ok_or("no log")?);
    println!("  client: {}", reply.message);

    println!("A client with a tower layer:");
    let layered = ServiceBuilder::new()
        .map_request(|mut request: http::Request<tonic::body::Body>| {
            println!("  client layer: {}", request.uri().path());
            request.headers_mut().insert("x-user", http::HeaderValue::from_static("grace"));
            request
        })
        .service(channel);
    let reply = GreeterClient::new(layered).say_hello(hello("you")).await?.into_inner();
    println!("  {}", log.recv().await.ok_or("no log")?);
    println!("  client: {}", reply.message);
    Ok(())
}
