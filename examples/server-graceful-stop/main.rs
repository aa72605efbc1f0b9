//! Graceful stop: what is under way is finished, nothing new is begun, and it always ends.

use std::{error::Error, future, sync::Arc, time::Duration};

use thalweg::{Channel, Server, server::ServerHandle};
use thalweg_examples::{Greeter, Handlers, code, hello, line, reply};
use thalweg_proto::demo::{HelloReply, HelloRequest, greeter_client::GreeterClient, greeter_server::GreeterServer};
use tokio::sync::{Notify, Semaphore};
use tonic::{Request, Response, Status, async_trait};

/// Answers when it is allowed to.
struct Patient {
    begun: Arc<Notify>,
    allowed: Arc<Semaphore>,
}

#[async_trait]
impl Handlers for Patient {
    async fn say_hello(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        self.begun.notify_one();
        if request.get_ref().name == "stuck" {
            return future::pending().await;
        }
        let _permit = self.allowed.acquire().await.map_err(|_| Status::internal("closed"))?;
        Ok(Response::new(reply("hello, and goodbye")))
    }
}

/// A server, a client of it, and the strings of its handlers.
struct Stage {
    handle: ServerHandle,
    client: GreeterClient<Channel>,
    begun: Arc<Notify>,
    allowed: Arc<Semaphore>,
}

async fn set() -> Result<Stage, Box<dyn Error>> {
    let (begun, allowed) = (Arc::new(Notify::new()), Arc::new(Semaphore::new(0)));
    let handlers = Patient { begun: Arc::clone(&begun), allowed: Arc::clone(&allowed) };
    let service = GreeterServer::new(Greeter(handlers));
    let server = Server::builder().add_service(service).listen("127.0.0.1:0").bind().await?;
    let target = format!("ipv4:{}", server.local_addrs()[0]);
    let handle = server.handle();
    tokio::spawn(server.run());
    let client = GreeterClient::new(Channel::builder(target).build()?);
    Ok(Stage { handle, client, begun, allowed })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    println!("A call is under way when the server is told to stop:");
    let Stage { handle, mut client, begun, allowed } = set().await?;
    let call = tokio::spawn({
        let mut client = client.clone();
        async move { client.say_hello(hello("you")).await }
    });
    begun.notified().await;
    let stop = tokio::spawn(async move { handle.graceful_stop(Duration::from_secs(10)).await });
    let status = loop {
        // The GOAWAY is on its way: until it is here, the old connection may take a call.
        match tokio::time::timeout(Duration::from_millis(20), client.say_hello(hello("you"))).await {
            Ok(Err(status)) => break status,
            Ok(Ok(_)) => return Err("a stopping server took a new call".into()),
            Err(_) => {}
        }
    };
    println!("  a new call is not begun: {}", code(&status));
    allowed.add_permits(100);
    println!("  the one under way is finished: {}", call.await??.into_inner().message);
    stop.await?;
    println!("  then the server has stopped");

    println!("A call that will never end is cut off when the grace is over:");
    let Stage { handle, mut client, begun, .. } = set().await?;
    let call = tokio::spawn(async move { client.say_hello(hello("stuck")).await });
    begun.notified().await;
    handle.graceful_stop(Duration::from_millis(100)).await;
    println!("  the server has stopped");
    println!("  {}", line(&call.await?.err().ok_or("it answered")?));
    Ok(())
}
