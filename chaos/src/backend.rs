//! A backend on loopback TCP, to which everything can happen.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use thalweg::{
    Server,
    server::{ServerError, ServerHandle},
};
use thalweg_proto::bench::{
    DownloadRequest, Payload,
    echo_server::{Echo, EchoServer},
};
use thalweg_services::health::{HealthReporter, ServingStatus};
use tokio::{
    sync::mpsc::UnboundedSender,
    time::{Instant, sleep},
};
use tokio_stream::Empty;
use tonic::{Request, Response, Status, Streaming, async_trait};

use crate::schedule::Fault;

/// What clients ask the health of.
pub(crate) const SERVICE: &str = "chaos";
/// How long a slow backend takes.
const SLOW: Duration = Duration::from_millis(50);
/// How often a port is asked for that the system has not given back yet.
const TRIES: u32 = 100;

/// A handler has begun on this backend.
pub(crate) type Begun = UnboundedSender<(Instant, usize)>;

/// One of the backends.
pub(crate) struct Backend {
    number: usize,
    address: SocketAddr,
    faults: Arc<Faults>,
    begun: Begun,
    running: Option<(ServerHandle, HealthReporter)>,
}

#[derive(Debug, Default)]
struct Faults {
    slow: AtomicBool,
    failing: AtomicBool,
}

impl Backend {
    /// Starts a backend on a port of its own.
    pub(crate) async fn start(number: usize, begun: Begun) -> Result<Self, ServerError> {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut backend = Self { number, address, faults: Arc::default(), begun, running: None };
        backend.run().await?;
        Ok(backend)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Something is wrong with it from now on.
    pub(crate) async fn suffer(&mut self, fault: Fault) {
        match (fault, &self.running) {
            (Fault::Slow, _) => self.faults.slow.store(true, Relaxed),
            (Fault::Failing, _) => self.faults.failing.store(true, Relaxed),
            (Fault::NotServing, Some((_, health))) => health.set(SERVICE, ServingStatus::NotServing),
            (Fault::Killed, Some((server, _))) => {
                server.stop();
                server.stopped().await;
                self.running = None;
            }
            (_, None) => {}
        }
    }

    /// Nothing is wrong with it any more.
    pub(crate) async fn recover(&mut self) -> Result<(), ServerError> {
        self.faults.slow.store(false, Relaxed);
        self.faults.failing.store(false, Relaxed);
        match &self.running {
            Some((_, health)) => {
                health.set(SERVICE, ServingStatus::Serving);
                Ok(())
            }
            None => self.run().await,
        }
    }

    async fn run(&mut self) -> Result<(), ServerError> {
        let health = HealthReporter::new();
        health.set(SERVICE, ServingStatus::Serving);
        let mut tries = 0;
        let server = loop {
            let service = Service { number: self.number, faults: self.faults.clone(), begun: self.begun.clone() };
            let builder = Server::builder().add_service(EchoServer::new(service)).extension(health.clone());
            match builder.listen(self.address.to_string()).bind().await {
                Ok(server) => break server,
                Err(error) if tries == TRIES => return Err(error),
                Err(_) => tries += 1,
            }
            sleep(Duration::from_millis(10)).await;
        };
        self.address.set_port(server.local_port().unwrap_or_else(|| self.address.port()));
        self.running = Some((server.handle(), health));
        tokio::spawn(server.run());
        Ok(())
    }
}

#[derive(Debug)]
struct Service {
    number: usize,
    faults: Arc<Faults>,
    begun: Begun,
}

#[async_trait]
impl Echo for Service {
    /// Answers with the backend's number.
    async fn unary(&self, _: Request<Payload>) -> Result<Response<Payload>, Status> {
        // At the end of a run nobody listens.
        let _ = self.begun.send((Instant::now(), self.number));
        if self.faults.slow.load(Relaxed) {
            sleep(SLOW).await;
        }
        if self.faults.failing.load(Relaxed) && fastrand::bool() {
            return Err(Status::internal(self.number.to_string()));
        }
        Ok(Response::new(Payload { body: vec![self.number as u8].into() }))
    }

    type StreamStream = Empty<Result<Payload, Status>>;

    async fn stream(&self, _: Request<Streaming<Payload>>) -> Result<Response<Self::StreamStream>, Status> {
        Err(Status::unimplemented("only unary calls are made here"))
    }

    type DownloadStream = Empty<Result<Payload, Status>>;

    async fn download(&self, _: Request<DownloadRequest>) -> Result<Response<Self::DownloadStream>, Status> {
        Err(Status::unimplemented("only unary calls are made here"))
    }
}

/// The memory of this process that is resident, in bytes; `None` where there is no `/proc`.
pub(crate) fn resident() -> Option<u64> {
    let statm = || -> io::Result<String> { std::fs::read_to_string("/proc/self/statm") };
    let pages: u64 = statm().ok()?.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4096)
}
