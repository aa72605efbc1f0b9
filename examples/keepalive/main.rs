//! Keepalive: pings find out that the other end is gone when nobody says so.

use std::{error::Error, future, time::Duration};

use thalweg::{
    Channel, Server,
    server::ServerBuilder,
    transport::{
        connector::memory::{MemoryConnector, MemoryListener},
        keepalive::{Keepalive, KeepaliveEnforcement},
    },
};
use thalweg_examples::{Cable, Greeter, Handlers, code, hello, line, reply};
use thalweg_proto::demo::{HelloReply, HelloRequest, greeter_client::GreeterClient, greeter_server::GreeterServer};
use tokio::time::Instant;
use tonic::{Request, Response, Status, async_trait};

/// Answers, unless it is asked to think.
struct Thinker;

#[async_trait]
impl Handlers for Thinker {
    async fn say_hello(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        if request.get_ref().name == "think" {
            return future::pending().await;
        }
        Ok(Response::new(reply("hello")))
    }
}

/// Starts a server in memory; the way to it.
async fn start(builder: ServerBuilder) -> Result<MemoryConnector, Box<dyn Error>> {
    let listener = MemoryListener::new("greeter");
    let connector = listener.connector();
    let server = builder.add_service(GreeterServer::new(Greeter(Thinker))).listen(listener).bind().await?;
    tokio::spawn(server.run());
    Ok(connector)
}

/// Time is paused: tokio's clock jumps to the next timer whenever nothing else is left to do, so that minutes pass in
/// no time, to the millisecond.
#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), Box<dyn Error>> {
    let permitted = KeepaliveEnforcement { min_time: Duration::from_secs(20), permit_without_calls: false };
    let cable = Cable::new(start(Server::builder().keepalive_enforcement(permitted)).await?);

    let keepalive =
        Keepalive { time: Some(Duration::from_secs(30)), timeout: Duration::from_secs(5), while_idle: false };
    let builder = Channel::builder("passthrough:///greeter").connector(cable.clone()).keepalive(keepalive);
    let mut client = GreeterClient::new(builder.build()?);
    println!("All is well: {}", client.say_hello(hello("you")).await?.into_inner().message);

    println!("The server thinks for ten minutes, and its host answers our pings:");
    let mut request = Request::new(hello("think"));
    request.set_timeout(Duration::from_secs(600));
    let begun = Instant::now();
    let status = client.say_hello(request).await.err().ok_or("it answered")?;
    println!("  after {} seconds: {}", begun.elapsed().as_secs(), code(&status));

    println!("The cable is cut while a call waits. Nobody is told, and no byte comes back:");
    let call = tokio::spawn({
        let mut client = client.clone();
        async move { client.say_hello(hello("think")).await }
    });
    tokio::task::yield_now().await;
    let begun = Instant::now();
    cable.cut();
    let status = call.await?.err().ok_or("it answered")?;
    println!("  after {} seconds: {}", begun.elapsed().as_secs(), line(&status));

    println!(
        "The next call goes over a new connection: {}",
        client.say_hello(hello("you")).await?.into_inner().message
    );

    println!("Another server permits a ping in five minutes, as servers do, and is pinged each half minute:");
    let strict = start(Server::builder()).await?;
    let builder = Channel::builder("passthrough:///greeter").connector(strict).keepalive(keepalive);
    let begun = Instant::now();
    let status = GreeterClient::new(builder.build()?).say_hello(hello("think")).await.err().ok_or("it answered")?;
    println!("  after {} seconds: {}", begun.elapsed().as_secs(), line(&status));
    Ok(())
}
