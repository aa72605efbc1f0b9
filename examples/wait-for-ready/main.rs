//! Wait-for-ready: a call to a backend that is not there yet fails at once, or waits for it.

use std::{error::Error, net::TcpListener, time::Duration};

use thalweg::{
    Channel, Server,
    core::{backoff::BackoffConfig, connectivity::Connectivity},
    request::RequestExt,
};
use thalweg_examples::{Greeter, Handlers, code, hello, line};
use thalweg_proto::demo::{greeter_client::GreeterClient, greeter_server::GreeterServer};
use tonic::Request;

struct Plain;

impl Handlers for Plain {}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // An address where nobody listens yet.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let backoff = BackoffConfig { initial: Duration::from_millis(50), ..BackoffConfig::default() };
    let channel = Channel::builder(format!("ipv4:{address}")).backoff(backoff).build()?;
    let mut client = GreeterClient::new(channel.clone());

    println!("Nobody is there. A call fails at once, and says why:");
    let status = client.say_hello(hello("you")).await.err().ok_or("it answered")?;
    println!("  {}", masked(&line(&status)));
    println!("  the channel is {:?}", channel.state());

    println!("A call that waits for ready, with a deadline:");
    let mut request = Request::new(hello("you"));
    request.set_wait_for_ready(true);
    request.set_timeout(Duration::from_millis(100));
    let status = client.say_hello(request).await.err().ok_or("it answered")?;
    println!("  {}", code(&status));

    println!("A call that waits for ready, and a server that comes up meanwhile:");
    let mut request = Request::new(hello("you"));
    request.set_wait_for_ready(true);
    let call = tokio::spawn({
        let mut client = client.clone();
        async move { client.say_hello(request).await }
    });
    let service = GreeterServer::new(Greeter(Plain));
    let server = Server::builder().add_service(service).listen(address).bind().await?;
    tokio::spawn(server.run());
    println!("  {}", call.await??.into_inner().message);
    println!("  the channel is {:?}", channel.state());
    assert_eq!(channel.state(), Connectivity::Ready);
    Ok(())
}

/// The message without the time to the next attempt, which is random.
fn masked(line: &str) -> &str {
    line.split(" (next attempt").next().unwrap_or(line)
}
