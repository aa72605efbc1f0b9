//! Flow control: a reader that does not read makes its writer wait, in either direction, and nobody else.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use thalweg::{
    Channel, Server,
    transport::{connector::memory::MemoryListener, options::Http2Options},
};
use thalweg_examples::{Greeter, Handlers, Replies, hello, reply};
use thalweg_proto::demo::{
    HelloRepeatedlyRequest, HelloReply, HelloRequest, greeter_client::GreeterClient, greeter_server::GreeterServer,
};
use tokio::sync::Semaphore;
use tokio_stream::StreamExt;
use tonic::{Request, Response, Status, Streaming, async_trait};

/// How many messages are sent, of how many bytes.
const MESSAGES: usize = 100;
const SIZE: usize = 16_384;

/// Counts what it writes, and reads only when it is allowed to.
struct Counting {
    written: Arc<AtomicUsize>,
    may_read: Arc<Semaphore>,
}

#[async_trait]
impl Handlers for Counting {
    async fn say_hello_repeatedly(&self, _: Request<HelloRepeatedlyRequest>) -> Result<Response<Replies>, Status> {
        Ok(Response::new(Box::pin(large(&self.written).map(|text| Ok(reply(text))))))
    }

    async fn say_hello_to_all(
        &self,
        request: Request<Streaming<HelloRequest>>,
    ) -> Result<Response<HelloReply>, Status> {
        let _permit = self.may_read.acquire().await.map_err(|_| Status::internal("closed"))?;
        let read = request.into_inner().filter(Result::is_ok).fold(0, |count, _| count + 1).await;
        Ok(Response::new(reply(format!("{read} messages read"))))
    }
}

/// Large messages, counted as they are taken.
fn large(taken: &Arc<AtomicUsize>) -> impl tokio_stream::Stream<Item = String> + use<> {
    let taken = Arc::clone(taken);
    tokio_stream::iter(0..MESSAGES).map(move |_| {
        taken.fetch_add(1, Relaxed);
        "o".repeat(SIZE)
    })
}

/// Waits until nothing moves any more: on a paused clock, time passes only when everybody waits.
async fn until_all_is_quiet() {
    tokio::time::sleep(Duration::from_secs(1)).await;
}

/// Tells how much was written, to the next 500 kB: how much fits on its way is nothing to rely on.
fn show(who: &str, count: &AtomicUsize) {
    let kilobytes = count.load(Relaxed) * SIZE / 1000;
    println!(
        "  {who} has written less than {} kB of {} kB, and waits",
        kilobytes.next_multiple_of(500),
        MESSAGES * SIZE / 1000
    );
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), Box<dyn Error>> {
    // Little windows and buffers, so that little is under way.
    let http2 = Http2Options {
        stream_window: 65_535,
        connection_window: 1 << 20,
        max_write_buffer: 65_536,
        ..Http2Options::default()
    };
    let (written, may_read) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let handlers = Counting { written: Arc::clone(&written), may_read: Arc::clone(&may_read) };
    let listener = MemoryListener::new("greeter");
    let channel = Channel::builder("passthrough:///greeter").connector(listener.connector()).http2(http2.clone());
    let mut client = GreeterClient::new(channel.build()?);
    let service = GreeterServer::new(Greeter(handlers));
    let server = Server::builder().http2(http2).add_service(service).listen(listener).bind().await?;
    tokio::spawn(server.run());

    println!("The server streams {MESSAGES} messages of {SIZE} bytes to a client that does not read:");
    let mut replies = client.say_hello_repeatedly(HelloRepeatedlyRequest::default()).await?.into_inner();
    until_all_is_quiet().await;
    show("the server", &written);
    println!("  another call on the same connection: {}", client.say_hello(hello("you")).await?.into_inner().message);
    let mut read = 0;
    while replies.message().await?.is_some() {
        read += 1;
    }
    println!("  the client reads, and gets all {read}");

    println!("The client streams {MESSAGES} messages to a server that does not read:");
    let written = Arc::new(AtomicUsize::new(0));
    let call = tokio::spawn({
        let (mut client, names) = (client.clone(), large(&written));
        async move { client.say_hello_to_all(names.map(|name| HelloRequest { name })).await }
    });
    until_all_is_quiet().await;
    show("the client", &written);
    may_read.add_permits(1);
    println!("  the server reads: {}", call.await??.into_inner().message);
    Ok(())
}
