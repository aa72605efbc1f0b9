//! Metadata: both ways, text and binary, before the messages and after them.

use std::error::Error;

use thalweg::{Channel, Server, context::ServerRequestExt};
use thalweg_examples::{Greeter, Handlers, Replies, hello, reply};
use thalweg_proto::demo::{
    HelloRepeatedlyRequest, HelloReply, HelloRequest, greeter_client::GreeterClient, greeter_server::GreeterServer,
};
use tokio_stream::StreamExt;
use tonic::{
    Request, Response, Status, async_trait,
    metadata::{BinaryMetadataValue, MetadataMap},
};

/// Reads the metadata of requests, and sends some before and after its replies.
struct Chatty;

#[async_trait]
impl Handlers for Chatty {
    async fn say_hello(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        let seen = format!("the server saw {}", text(request.metadata(), "x-mood"));
        let trace = request.metadata().get_bin("x-trace-bin").cloned();
        request.trailers().insert("x-cost", number(12));

        let mut response = Response::new(reply(seen));
        response.metadata_mut().insert("x-server", "chatty".parse().map_err(|_| Status::internal("not ASCII"))?);
        if let Some(trace) = trace {
            response.metadata_mut().insert_bin("x-trace-bin", trace);
        }
        Ok(response)
    }

    /// Knows only at the end how much it has sent.
    async fn say_hello_repeatedly(
        &self,
        request: Request<HelloRepeatedlyRequest>,
    ) -> Result<Response<Replies>, Status> {
        let trailers = request.trailers();
        let times = request.into_inner().times;
        let replies = tokio_stream::iter(1..=times).map(move |n| {
            trailers.insert("x-sent", number(n));
            Ok(reply(format!("message {n}")))
        });
        Ok(Response::new(Box::pin(replies)))
    }
}

fn number(n: u32) -> tonic::metadata::MetadataValue<tonic::metadata::Ascii> {
    n.into()
}

/// All values of a key, as text.
fn text(metadata: &MetadataMap, key: &'static str) -> String {
    let values: Vec<_> = metadata.get_all(key).iter().filter_map(|value| value.to_str().ok()).collect();
    format!("{key} = {values:?}")
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let service = GreeterServer::new(Greeter(Chatty));
    let server = Server::builder().add_service(service).listen("127.0.0.1:0").bind().await?;
    let target = format!("ipv4:{}", server.local_addrs()[0]);
    tokio::spawn(server.run());
    let mut client = GreeterClient::new(Channel::builder(target).build()?);

    println!("A unary call:");
    let mut request = Request::new(hello("you"));
    request.metadata_mut().append("x-mood", "curious".parse()?);
    request.metadata_mut().append("x-mood", "hurried".parse()?);
    request.metadata_mut().insert_bin("x-trace-bin", BinaryMetadataValue::from_bytes(&[0, 159, 146, 150]));
    let response = client.say_hello(request).await?;
    println!("  {}", response.get_ref().message);
    println!("  before the reply: {}", text(response.metadata(), "x-server"));
    let trace = response.metadata().get_bin("x-trace-bin").ok_or("no trace")?.to_bytes()?;
    println!("  before the reply: x-trace-bin = {:?}", trace.as_ref());
    println!("  after the reply:  {}", text(response.metadata(), "x-cost"));

    println!("A stream, which carries its trailing metadata after the last message:");
    let request = HelloRepeatedlyRequest { times: 3, ..HelloRepeatedlyRequest::default() };
    let mut replies = client.say_hello_repeatedly(request).await?.into_inner();
    while let Some(reply) = replies.message().await? {
        println!("  {}", reply.message);
    }
    let trailers = replies.trailers().await?.ok_or("no trailing metadata")?;
    println!("  after them: {}", text(&trailers, "x-sent"));
    Ok(())
}
