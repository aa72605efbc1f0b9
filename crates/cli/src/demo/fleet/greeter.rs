//! The service of the demo's backends: it greets, at its backend's own speed.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use thalweg::{
    Server,
    core::endpoint::Address,
    server::{Listener, ServerError, ServerHandle},
};
use thalweg_proto::demo::{
    HelloRepeatedlyRequest, HelloReply, HelloRequest,
    greeter_server::{self, GreeterServer},
};
use tokio::time::sleep;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming, async_trait};

/// A stream of replies.
type Replies = Pin<Box<dyn Stream<Item = Result<HelloReply, Status>> + Send>>;

/// Greets in the name of one backend.
#[derive(Clone, Debug)]
pub(super) struct Greeter {
    name: Arc<str>,
    /// How long a reply takes, about; zero for at once.
    pace: Duration,
    in_flight: Arc<AtomicU64>,
}

impl Greeter {
    /// Greets in the name of `name`; every reply takes about `pace`.
    pub(super) fn new(name: impl Into<Arc<str>>, pace: Duration) -> Self {
        Self { name: name.into(), pace, in_flight: Arc::default() }
    }

    /// Serves there, in a task of its own, until the handle stops it. Says where that is, port filled in.
    pub(super) async fn serve(&self, at: impl Into<Listener>) -> Result<(Address, ServerHandle), ServerError> {
        let server = Server::builder().add_service(GreeterServer::new(self.clone())).listen(at).bind().await?;
        let address = server.local_addrs().into_iter().next().ok_or(ServerError::NoListener)?;
        let handle = server.handle();
        tokio::spawn(server.run());
        Ok((address, handle))
    }

    /// How many unary calls are in its hands.
    pub(super) fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Relaxed)
    }

    fn greet(&self, whom: &str) -> HelloReply {
        HelloReply { message: format!("Hello {whom}"), backend: self.name.to_string() }
    }

    /// Takes as long as this backend takes: half to one and a half times its pace, and sometimes three times that.
    async fn work(&self) {
        if self.pace.is_zero() {
            return;
        }
        let hiccup = if fastrand::u8(..) < 4 { 3.0 } else { 1.0 };
        sleep(self.pace.mul_f64((0.5 + fastrand::f64()) * hiccup)).await;
    }
}

/// A call in a backend's hands. Handlers are dropped when their call ends early, so it counts by being there.
struct InFlight(Arc<AtomicU64>);

impl InFlight {
    fn enter(count: &Arc<AtomicU64>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[async_trait]
impl greeter_server::Greeter for Greeter {
    type SayHelloRepeatedlyStream = Replies;
    type ChatStream = Replies;

    async fn say_hello(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        let _in_flight = InFlight::enter(&self.in_flight);
        self.work().await;
        Ok(Response::new(self.greet(&request.get_ref().name)))
    }

    async fn say_hello_repeatedly(
        &self,
        request: Request<HelloRepeatedlyRequest>,
    ) -> Result<Response<Replies>, Status> {
        let HelloRepeatedlyRequest { name, times, interval_ms } = request.into_inner();
        let (reply, interval) = (self.greet(&name), Duration::from_millis(interval_ms.into()));
        let replies = tokio_stream::iter(0..times).then(move |turn| {
            let reply = reply.clone();
            async move {
                if turn > 0 {
                    sleep(interval).await;
                }
                Ok(reply)
            }
        });
        Ok(Response::new(Box::pin(replies)))
    }

    async fn say_hello_to_all(
        &self,
        request: Request<Streaming<HelloRequest>>,
    ) -> Result<Response<HelloReply>, Status> {
        let mut requests = request.into_inner();
        let mut names = vec![];
        while let Some(hello) = requests.message().await? {
            names.push(hello.name);
        }
        Ok(Response::new(self.greet(&names.join(", "))))
    }

    async fn chat(&self, request: Request<Streaming<HelloRequest>>) -> Result<Response<Replies>, Status> {
        let greeter = self.clone();
        let replies = request.into_inner().map(move |hello| hello.map(|hello| greeter.greet(&hello.name)));
        Ok(Response::new(Box::pin(replies)))
    }
}
