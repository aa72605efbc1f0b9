//! Service config: timeouts, wait-for-ready, limits and the balancing policy, by method, without touching the code
//! that makes the calls.

use std::{error::Error, future, sync::Arc};

use thalweg::{
    Channel, Server,
    core::{endpoint::Endpoint, lb::registry::Policies, service_config::ServiceConfig},
    registry::Registry,
    resolver::{ResolverUpdate, manual::ManualResolver},
    transport::connector::memory::MemoryListener,
};
use thalweg_examples::{Greeter, Handlers, Replies, code, hello, line, reply};
use thalweg_proto::demo::{
    HelloRepeatedlyRequest, HelloReply, HelloRequest, greeter_client::GreeterClient, greeter_server::GreeterServer,
};
use tokio::time::Instant;
use tonic::{Request, Response, Status, async_trait};

const DEFAULT: &str = r#"{
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [
        {"name": [{"service": "thalweg.demo.v1.Greeter", "method": "SayHello"}], "timeout": "0.1s"},
        {"name": [{"service": "thalweg.demo.v1.Greeter"}], "maxResponseMessageBytes": 1000}
    ]
}"#;

/// Never answers a unary call, and streams a message that is rather large.
struct Trouble;

#[async_trait]
impl Handlers for Trouble {
    async fn say_hello(&self, _: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        future::pending().await
    }

    async fn say_hello_repeatedly(&self, _: Request<HelloRepeatedlyRequest>) -> Result<Response<Replies>, Status> {
        Ok(Response::new(Box::pin(tokio_stream::once(Ok(reply("o".repeat(2000)))))))
    }
}

/// Makes a unary call, which is never answered, and tells how it ends.
async fn unary(client: &mut GreeterClient<Channel>) -> Result<(), Box<dyn Error>> {
    let begun = Instant::now();
    let status = client.say_hello(hello("you")).await.err().ok_or("it answered")?;
    println!("  SayHello: {} after {:.1} s", code(&status), begun.elapsed().as_secs_f64());
    Ok(())
}

/// Makes a streaming call, and returns the size of its first message.
async fn streaming(client: &mut GreeterClient<Channel>) -> Result<usize, Status> {
    let mut replies = client.say_hello_repeatedly(HelloRepeatedlyRequest::default()).await?.into_inner();
    Ok(replies.message().await?.map_or(0, |reply| reply.message.len()))
}

/// Time is paused, as in the keepalive example.
#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = MemoryListener::new("greeter");
    let (address, connector) = (listener.address(), listener.connector());
    let service = GreeterServer::new(Greeter(Trouble));
    let server = Server::builder().add_service(service).listen(listener).bind().await?;
    tokio::spawn(server.run());

    // The name system of this example: whatever we set.
    let names = ManualResolver::new("names");
    let update = ResolverUpdate { endpoints: vec![Endpoint::new([address])], ..ResolverUpdate::default() };
    names.set(update.clone());
    let registry = Registry::default().with_resolver(names.clone());
    let builder = Channel::builder("names:greeter").registry(registry).connector(connector);
    let mut client = GreeterClient::new(builder.clone().default_service_config(DEFAULT).build()?);

    println!("By the channel's default config: 0.1 s for SayHello, 1000 bytes for the other methods:");
    unary(&mut client).await?;
    let status = streaming(&mut client).await.err().ok_or("it answered")?;
    println!("  SayHelloRepeatedly: {}", line(&status));

    println!("The name system brings a config of its own: 5 s for all methods, and no limit:");
    let config = r#"{"methodConfig": [{"name": [{}], "timeout": "5s"}]}"#;
    let config = ServiceConfig::parse(config, &Policies::builtin()).map(Arc::new);
    names.set(ResolverUpdate { service_config: Some(config), ..update });
    let size = loop {
        // Calls that were faster than the news still have the old config.
        if let Ok(size) = streaming(&mut client).await {
            break size;
        }
    };
    println!("  SayHelloRepeatedly: {size} bytes");
    unary(&mut client).await?;

    println!("Configs with a mistake are turned down by name:");
    for config in [
        r#"{"methodConfig": [{"name": [{}], "timeout": "soon"}]}"#,
        r#"{"methodConfig": [{"name": [{"method": "SayHello"}]}]}"#,
        r#"{"loadBalancingConfig": [{"best_effort": {}}]}"#,
        r#"{"methodConfig": ["#,
    ] {
        let error = builder.clone().default_service_config(config).build().err();
        println!("  {}", error.ok_or("it was accepted")?);
    }
    Ok(())
}
