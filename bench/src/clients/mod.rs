//! The client process: one connection, a number of callers, one sample on stdout.

use std::{net::SocketAddr, time::Duration};

use ::tonic::{
    body::Body,
    client::GrpcService,
    codegen::{Body as HttpBody, StdError},
};
use bytes::Bytes;
use clap::{Args, ValueEnum};
use thalweg_proto::bench::{Payload, echo_client::EchoClient};
use tokio::runtime::Runtime;

use crate::{
    error::Error,
    load::{self, Caller, Load},
    sample::Sample,
};

mod floor;
mod raw_h2;
mod thalweg;
mod tonic;

/// What makes the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClientKind {
    /// The generated stub on tonic's `Channel`.
    Tonic,
    /// The generated stub on thalweg's `Channel`.
    Thalweg,
    /// gRPC's framing by hand on the `h2` crate: no stub, no channel.
    RawH2,
    /// The generated stub on a service that answers at once, without a network.
    Floor,
}

/// What a client process is to do.
#[derive(Clone, Debug, PartialEq, Args)]
pub(crate) struct ClientArgs {
    /// What makes the calls.
    pub(crate) kind: ClientKind,
    /// Threads of the runtime; one means tokio's `current_thread`.
    #[arg(long)]
    pub(crate) threads: usize,
    /// Calls open at any time.
    #[arg(long)]
    pub(crate) concurrency: usize,
    /// Bytes of the payload, both ways.
    #[arg(long)]
    pub(crate) payload: usize,
    /// Seconds of load before the window.
    #[arg(long)]
    pub(crate) warm_up: f64,
    /// Seconds of the window.
    #[arg(long)]
    pub(crate) seconds: f64,
    /// Where the server listens; the stub floor has none.
    #[arg(long)]
    pub(crate) server: Option<SocketAddr>,
    /// The server's process, to read its CPU time.
    #[arg(long)]
    pub(crate) server_pid: Option<u32>,
}

impl ClientArgs {
    /// The arguments as the command line that parses into them.
    pub(crate) fn to_command_line(&self) -> Vec<String> {
        let kind = self.kind.to_possible_value().expect("no kind is skipped");
        let mut line = vec!["client".to_owned(), kind.get_name().to_owned()];
        let mut option = |name: &str, value: String| line.extend([format!("--{name}"), value]);
        option("threads", self.threads.to_string());
        option("concurrency", self.concurrency.to_string());
        option("payload", self.payload.to_string());
        option("warm-up", self.warm_up.to_string());
        option("seconds", self.seconds.to_string());
        if let Some(server) = self.server {
            option("server", server.to_string());
        }
        if let Some(pid) = self.server_pid {
            option("server-pid", pid.to_string());
        }
        line
    }

    fn load(&self) -> Load {
        Load {
            concurrency: self.concurrency,
            warm_up: Duration::from_secs_f64(self.warm_up),
            window: Duration::from_secs_f64(self.seconds),
            server: self.server_pid,
        }
    }
}

/// Connects, makes calls and returns what they cost.
///
/// # Errors
///
/// There is no server, a call fails, or nothing can be measured.
pub(crate) fn run(args: &ClientArgs, runtime: &Runtime) -> Result<Sample, Error> {
    let payload = Bytes::from(vec![b'x'; args.payload]);
    let load = args.load();
    let server = args.server.ok_or(Error::NoServer);
    match args.kind {
        ClientKind::Tonic => load::run(runtime, &runtime.block_on(tonic::connect(server?))?, &payload, &load),
        ClientKind::Thalweg => load::run(runtime, &runtime.block_on(thalweg::connect(server?))?, &payload, &load),
        ClientKind::RawH2 => {
            load::run(runtime, &runtime.block_on(raw_h2::connect(server?, &payload))?, &payload, &load)
        }
        ClientKind::Floor => load::run(runtime, &floor::client(&payload), &payload, &load),
    }
}

/// The generated stub makes the calls, whatever it stands on.
impl<T> Caller for EchoClient<T>
where
    T: GrpcService<Body> + Clone + Send + 'static,
    T::Future: Send,
    T::Error: Into<StdError>,
    T::ResponseBody: HttpBody<Data = Bytes> + Send + 'static,
    <T::ResponseBody as HttpBody>::Error: Into<StdError> + Send,
{
    async fn call(&mut self, payload: &Bytes) -> Result<(), Error> {
        let reply = self.unary(Payload { body: payload.clone() }).await?.into_inner();
        if reply.body.len() == payload.len() {
            Ok(())
        } else {
            Err(Error::WrongReply { got: reply.body.len(), want: payload.len() })
        }
    }
}
