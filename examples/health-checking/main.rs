//! Health checking: a backend says that it cannot serve, or is about to stop, and calls go elsewhere. None fails.

use std::{collections::BTreeSet, error::Error, time::Duration};

use thalweg::{Channel, Server, core::endpoint::Address, server::ServerHandle};
use thalweg_examples::{Greeter, Handlers, hello, line};
use thalweg_proto::demo::{HelloReply, HelloRequest, greeter_client::GreeterClient, greeter_server::GreeterServer};
use thalweg_services::health::{HealthReporter, ServingStatus};
use tokio::sync::watch;
use tonic::{Request, Response, Status, async_trait};

const SERVICE: &str = "thalweg.demo.v1.Greeter";

/// The channel watches the health of that service on every connection, and uses those that are SERVING.
const CONFIG: &str = r#"{
    "loadBalancingConfig": [{"round_robin": {}}],
    "healthCheckConfig": {"serviceName": "thalweg.demo.v1.Greeter"}
}"#;

/// Signs its replies.
struct Signed(&'static str);

#[async_trait]
impl Handlers for Signed {
    async fn say_hello(&self, _: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        Ok(Response::new(HelloReply { message: "hello".into(), backend: self.0.into() }))
    }
}

/// A server, and the database without which it is of no use.
struct Backend {
    address: Address,
    database: watch::Sender<bool>,
    health: HealthReporter,
    handle: ServerHandle,
}

impl Backend {
    async fn start(name: &'static str) -> Result<Self, Box<dyn Error>> {
        let (database, is_there) = watch::channel(true);
        let health = HealthReporter::new();
        health.follow(SERVICE, is_there);
        let server = Server::builder()
            .add_service(GreeterServer::new(Greeter(Signed(name))))
            .extension(health.clone())
            .drain_time(Duration::from_millis(500))
            .listen("127.0.0.1:0")
            .bind()
            .await?;
        let (address, handle) = (server.local_addrs()[0].clone(), server.handle());
        tokio::spawn(server.run());
        Ok(Self { address, database, health, handle })
    }
}

/// Calls one after the other, with news on their way, until twenty in a row have gone to these backends. No call may fail.
async fn goes_to(client: &mut GreeterClient<Channel>, backends: &[&str]) -> Result<(), Box<dyn Error>> {
    for _ in 0..1000 {
        let mut seen = BTreeSet::new();
        for _ in 0..20 {
            seen.insert(client.say_hello(hello("you")).await?.into_inner().backend);
        }
        if seen.iter().eq(backends) {
            println!("  calls go to {}", backends.join(" and "));
            return Ok(());
        }
    }
    Err(format!("calls do not go to {}", backends.join(" and ")).into())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (one, two) = (Backend::start("one").await?, Backend::start("two").await?);
    let channel = Channel::builder(format!("ipv4:{},{}", one.address, two.address));
    let mut client = GreeterClient::new(channel.default_service_config(CONFIG).build()?);

    println!("Both are SERVING:");
    goes_to(&mut client, &["one", "two"]).await?;

    println!("The database of one goes away, and one is NOT_SERVING:");
    one.database.send(false)?;
    goes_to(&mut client, &["two"]).await?;

    println!("It comes back:");
    one.database.send(true)?;
    goes_to(&mut client, &["one", "two"]).await?;

    println!("two is told to stop. It is NOT_SERVING, and serves on while calls move away:");
    let stopped = tokio::spawn(async move { two.handle.graceful_stop(Duration::from_secs(5)).await });
    goes_to(&mut client, &["one"]).await?;
    println!("  two has {}", if stopped.is_finished() { "stopped" } else { "not stopped yet" });
    stopped.await?;
    goes_to(&mut client, &["one"]).await?;
    println!("No call has failed.");

    println!("When nobody is left who serves, a call is told why:");
    one.health.set(SERVICE, ServingStatus::NotServing);
    let channel = Channel::builder(format!("ipv4:{}", one.address)).default_service_config(CONFIG).build()?;
    let status = GreeterClient::new(channel).say_hello(hello("you")).await.err().ok_or("it answered")?;
    println!("  {}", line(&status));
    Ok(())
}
