//! The client channel: a lazily connected, cheaply cloned tower service for generated stubs.

mod builder;

mod stats;

mod downfall;
mod driver;
mod execute;
mod health;
mod resolution;
mod scaling;
mod subchannels;
mod timers;

mod check;

mod error;

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use thalweg_core::connectivity::Connectivity;
use tonic::Status;
use tower_service::Service;

pub use self::{
    builder::ChannelBuilder,
    error::{BuildError, ScalingError},
    scaling::ConnectionScaling,
    stats::SubchannelStats,
};
pub use crate::call::{ResponseBody, ResponseFuture};
use crate::{
    control::{Control, ControlEvent},
    rt,
};

/// A client channel to everything that its target names.
///
/// It is lazy (nothing happens before the first call), cheap to clone, and usable from any number of tasks at once.
/// Generated clients take it as it is: `GreeterClient::new(channel)`. When the last clone and the last call on it are
/// gone, its connections close.
#[derive(Clone)]
pub struct Channel {
    control: Arc<Control>,
    ignition: Arc<Ignition>,
}

/// The driver, until something needs it: a channel can be built outside of a runtime.
struct Ignition {
    driver: Mutex<Option<driver::Driver>>,
    /// The driver has been started.
    started: AtomicBool,
}

impl Ignition {
    fn new(driver: driver::Driver) -> Self {
        Self { driver: Mutex::new(Some(driver)), started: AtomicBool::new(false) }
    }

    /// Starts the driver on the present runtime, if it does not run.
    fn start(&self) {
        if self.started.load(Relaxed) {
            return;
        }
        // A panic between lock and unlock is impossible, and the driver would be whole.
        let mut driver = self.driver.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(driver) = driver.take() {
            rt::spawn(driver.run()).detach();
        }
        self.started.store(true, Relaxed);
    }
}

impl Channel {
    /// Describes a channel to `target`, as gRPC names it (doc/naming): `dns:///greeter:50051` or just
    /// `greeter:50051`, `ipv4:10.0.0.1:50051,10.0.0.2:50051`, `unix:///run/greeter.sock`, ….
    pub fn builder(target: impl Into<String>) -> ChannelBuilder {
        ChannelBuilder::new(target.into())
    }

    /// What the channel can do for a call right now.
    #[must_use]
    pub fn state(&self) -> Connectivity {
        self.control.board.load().state
    }

    /// Waits until the state is another than `last`, and returns it.
    ///
    /// It is the latest state that is seen: a short one between two looks may be missed.
    pub async fn state_change(&self, last: Connectivity) -> Connectivity {
        loop {
            let mut ticket = self.control.board.subscribe();
            let state = self.state();
            if state != last {
                return state;
            }
            ticket.published().await;
        }
    }

    /// Connects now instead of with the first call, and again after the channel has gone IDLE. Returns at once; must be
    /// called on a runtime.
    pub fn connect(&self) {
        self.ignition.start();
        self.control.tell(ControlEvent::Connect);
    }

    /// Connects and waits until a call could be sent.
    ///
    /// It waits for as long as it takes, through failures too: give it a timeout. It returns at once when the channel's
    /// runtime has shut down.
    pub async fn ready(&self) {
        self.connect();
        let mut state = self.state();
        while !matches!(state, Connectivity::Ready | Connectivity::Shutdown) {
            state = self.state_change(state).await;
            if state == Connectivity::Idle {
                self.connect();
            }
        }
    }

    /// What the channel was built for, as it was written.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.control.facts.target
    }

    /// Begins a call.
    fn begin(&self, request: Request<tonic::body::Body>) -> ResponseFuture {
        self.ignition.start();
        ResponseFuture::new(&self.control, request)
    }
}

impl<B> Service<Request<B>> for Channel
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<ResponseBody>;
    type Error = Status;
    type Future = ResponseFuture;

    /// Always ready: a call that has to wait waits in its own future, under its own deadline.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture {
        self.begin(request.map(tonic::body::Body::new))
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("target", &self.target()).field("state", &self.state()).finish()
    }
}
