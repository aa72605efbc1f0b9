//! Compression: asked for by the stub on either side, and seen on the wire.

use std::error::Error;

use thalweg::{Channel, Server, transport::connector::DefaultConnector};
use thalweg_examples::{Cable, Greeter, Handlers, reply};
use thalweg_proto::demo::{HelloReply, HelloRequest, greeter_client::GreeterClient, greeter_server::GreeterServer};
use tonic::{Request, Response, Status, async_trait, codec::CompressionEncoding::Gzip};

/// How long the name is that we greet, in bytes.
const LENGTH: usize = 100_000;

/// Greets, and says how the request was encoded.
struct Encoded;

#[async_trait]
impl Handlers for Encoded {
    async fn say_hello(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        let encoding = request.metadata().get("grpc-encoding").and_then(|value| value.to_str().ok());
        let mut response = reply(format!("hello {}", request.get_ref().name));
        response.backend = encoding.unwrap_or("identity").to_owned();
        Ok(Response::new(response))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let service = GreeterServer::new(Greeter(Encoded)).accept_compressed(Gzip).send_compressed(Gzip);
    let server = Server::builder().add_service(service).listen("127.0.0.1:0").bind().await?;
    let cable = Cable::new(DefaultConnector::new());
    let target = format!("ipv4:{}", server.local_addrs()[0]);
    tokio::spawn(server.run());
    let channel = Channel::builder(target).connector(cable.clone()).build()?;
    let client = GreeterClient::new(channel);

    println!("A name of {LENGTH} bytes, and as many in the reply. The server compresses if the client accepts it.");
    greet("nothing compressed", client.clone(), &cable).await?;
    greet("the reply compressed", client.clone().accept_compressed(Gzip), &cable).await?;
    greet("the request compressed", client.clone().send_compressed(Gzip), &cable).await?;
    greet("both compressed", client.accept_compressed(Gzip).send_compressed(Gzip), &cable).await
}

/// Makes one call and tells how large it was on the wire.
async fn greet(what: &str, mut client: GreeterClient<Channel>, cable: &Cable) -> Result<(), Box<dyn Error>> {
    let (sent, received) = (cable.sent(), cable.received());
    let response = client.say_hello(HelloRequest { name: "o".repeat(LENGTH) }).await?;
    let encoding = response.metadata().get("grpc-encoding").map_or(Ok("identity"), |value| value.to_str())?;
    println!(
        "{what}: request {}, {}; reply {encoding}, {}",
        response.get_ref().backend,
        size(cable.sent() - sent),
        size(cable.received() - received),
    );
    Ok(())
}

/// A size, roughly: headers and acknowledgements vary by a few bytes.
fn size(bytes: u64) -> &'static str {
    match bytes {
        0..5_000 => "less than 5 kB on the wire",
        100_000.. => "at least 100 kB on the wire",
        _ => "somewhere in between",
    }
}
