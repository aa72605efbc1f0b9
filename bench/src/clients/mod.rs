//! The client process: one connection (or many idle ones), a number of callers, one sample on stdout.

use std::{
    fmt::{self, Display, Formatter},
    net::SocketAddr,
    time::Duration,
};

use bytes::Bytes;
use clap::{Args, ValueEnum};
use tokio::runtime::Runtime;

use crate::{
    error::Error,
    footprint::{self, resident_at_rest},
    load::{self, Caller, Load},
    sample::Sample,
};

mod bare_echo;
mod by_hand;
mod floor;
pub(crate) mod grpc_go;
mod policy;
mod raw_h2;
mod streams;
mod stub;
mod thalweg;
mod tonic;

#[cfg(test)]
mod tests;

/// What makes the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClientKind {
    /// The generated stub on tonic's `Channel`.
    Tonic,
    /// The generated stub on thalweg's `Channel`.
    Thalweg,
    /// thalweg's `Channel` without a stub: requests and replies by hand.
    ThalwegByHand,
    /// gRPC's framing by hand on the `h2` crate: no stub, no channel.
    RawH2,
    /// The generated stub on a service that answers at once, without a network.
    Floor,
    /// Length-prefixed messages on a bare socket: no HTTP/2.
    BareEcho,
    /// One of thalweg's load-balancing policies: no connection.
    Policy,
    /// The same policy of grpc-go, in a program that must have been built.
    GrpcGo,
}

/// What a client process does and measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Work {
    /// Makes unary calls that return the payload, each caller one after the other.
    Unary,
    /// Makes calls that are answered with one message of the payload's size.
    Download,
    /// Sends a message on a stream and waits for its echo, each caller on a stream of its own.
    PingPong,
    /// Receives messages as fast as they come, each caller on a stream of its own.
    ServerStream,
    /// Opens unary calls that nobody answers, and measures their memory.
    Hold,
    /// Opens connections that nobody uses, and measures their memory.
    Idle,
    /// Makes a number of unary calls, and measures how much memory is kept.
    Growth,
    /// Asks a policy where calls go.
    Pick,
    /// Tells a policy that its endpoints are connected, one after the other.
    Ready,
    /// Gives a policy lists of endpoints that differ in a few.
    Update,
}

/// What a client process is to do.
#[derive(Clone, Debug, PartialEq, Args)]
pub(crate) struct ClientArgs {
    /// What makes the calls.
    pub(crate) kind: ClientKind,
    /// What it does.
    #[arg(long, value_enum, default_value_t = Work::Unary)]
    pub(crate) work: Work,
    /// Threads of the runtime; one means tokio's `current_thread`.
    #[arg(long, default_value_t = 1)]
    pub(crate) threads: usize,
    /// Callers, or what is held open, or endpoints.
    #[arg(long, default_value_t = 64)]
    pub(crate) concurrency: usize,
    /// Bytes of the payload of a message.
    #[arg(long, default_value_t = 16)]
    pub(crate) payload: usize,
    /// Seconds of load before the window.
    #[arg(long, default_value_t = WARM_UP)]
    pub(crate) warm_up: f64,
    /// Seconds of the window.
    #[arg(long, default_value_t = 2.0)]
    pub(crate) seconds: f64,
    /// How many connections thalweg's channel may make to the server (A105).
    #[arg(long, default_value_t = 1)]
    pub(crate) connections: u32,
    /// Calls of `growth`.
    #[arg(long, default_value_t = 0)]
    pub(crate) calls: u64,
    /// The load-balancing policy of `policy` and `grpc-go`.
    #[arg(long, default_value = ROUND_ROBIN)]
    pub(crate) policy: String,
    /// Whom it calls.
    #[command(flatten)]
    pub(crate) target: Target,
}

/// Whom a client process calls; the stub floor calls nobody.
#[derive(Clone, Debug, Default, PartialEq, Args)]
pub(crate) struct Target {
    /// Where the server listens.
    #[arg(long)]
    pub(crate) server: Option<SocketAddr>,
    /// The server's process, to read its CPU time.
    #[arg(long)]
    pub(crate) server_pid: Option<u32>,
    /// The server's certificate, PEM: connect by TLS and trust it.
    #[arg(long, value_name = "PEM", allow_hyphen_values = true)]
    pub(crate) trust: Option<String>,
}

/// Seconds of load before a window.
pub(crate) const WARM_UP: f64 = 0.2;
/// A policy that everybody has.
const ROUND_ROBIN: &str = "round_robin";
/// The longest that grpc-go may take until thousands of endpoints are connected.
const GRPC_GO: Duration = Duration::from_secs(120);
/// The longest that a thousand calls of `growth` may take on a slow machine.
const THOUSAND_CALLS: Duration = Duration::from_millis(200);

impl ClientArgs {
    /// What a client does by default, for `seconds`.
    pub(crate) fn new(kind: ClientKind, work: Work, seconds: f64) -> Self {
        Self {
            kind,
            work,
            threads: 1,
            concurrency: 64,
            payload: 16,
            warm_up: WARM_UP,
            seconds,
            connections: 1,
            calls: 0,
            policy: ROUND_ROBIN.to_owned(),
            target: Target::default(),
        }
    }

    /// The arguments as the command line that parses into them.
    pub(crate) fn to_command_line(&self) -> Vec<String> {
        let mut line = vec!["client".to_owned(), name(&self.kind)];
        let mut option = |name: &str, value: String| line.extend([format!("--{name}"), value]);
        option("work", name(&self.work));
        option("threads", self.threads.to_string());
        option("concurrency", self.concurrency.to_string());
        option("payload", self.payload.to_string());
        option("warm-up", self.warm_up.to_string());
        option("seconds", self.seconds.to_string());
        option("connections", self.connections.to_string());
        option("calls", self.calls.to_string());
        option("policy", self.policy.clone());
        let Target { server, server_pid, trust } = &self.target;
        let target = [
            ("server", server.map(|server| server.to_string())),
            ("server-pid", server_pid.map(|pid| pid.to_string())),
            ("trust", trust.clone()),
        ];
        for (name, value) in target {
            value.into_iter().for_each(|value| option(name, value));
        }
        line
    }

    /// The longest that the work itself may take.
    pub(crate) fn longest(&self) -> Duration {
        let thousands = u32::try_from(self.calls / 1000).unwrap_or(u32::MAX);
        let connecting = if self.kind == ClientKind::GrpcGo { GRPC_GO } else { Duration::ZERO };
        let window = Duration::from_secs_f64(self.warm_up + self.seconds);
        connecting + window + THOUSAND_CALLS.saturating_mul(thousands)
    }

    fn payload(&self) -> Bytes {
        Bytes::from(vec![b'x'; self.payload])
    }

    fn load(&self) -> Load {
        Load {
            concurrency: self.concurrency,
            warm_up: Duration::from_secs_f64(self.warm_up),
            window: Duration::from_secs_f64(self.seconds),
            server: self.target.server_pid,
        }
    }
}

/// The command line without the certificate.
impl Display for ClientArgs {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let target = Target { trust: None, ..self.target.clone() };
        f.write_str(&Self { target, ..self.clone() }.to_command_line().join(" "))
    }
}

/// What the command line calls it.
fn name(value: &impl ValueEnum) -> String {
    value.to_possible_value().expect("no value is skipped").get_name().to_owned()
}

/// What callers share: a connection, or what stands in its place.
trait Connection {
    /// Makes calls on it.
    type Caller: Caller;

    /// One more caller.
    fn caller(&self) -> Self::Caller;
}

/// Callers that are alike and share what they need.
impl<C: Caller + Clone> Connection for C {
    type Caller = Self;

    fn caller(&self) -> Self {
        self.clone()
    }
}

/// Connects, does the work and returns what it cost.
///
/// # Errors
///
/// There is no server, the client can't do such work, a call fails, or nothing can be measured.
pub(crate) fn run(args: &ClientArgs, runtime: &Runtime) -> Result<Sample, Error> {
    let payload = args.payload();
    let trust = args.target.trust.as_deref();
    let server = || args.target.server.ok_or(Error::NoServer);
    match args.kind {
        ClientKind::Tonic => stub::run(args, runtime, async || tonic::connect(server()?, trust, args.work).await),
        ClientKind::Thalweg => {
            stub::run(args, runtime, async || thalweg::connect(server()?, trust, args.connections).await)
        }
        ClientKind::Floor => stub::run(args, runtime, async || Ok(floor::client(&payload))),
        ClientKind::ThalwegByHand => {
            run_unary(args, runtime, async || by_hand::connect(server()?, trust, &payload).await)
        }
        ClientKind::RawH2 => run_unary(args, runtime, async || raw_h2::connect(server()?, trust, &payload).await),
        ClientKind::BareEcho => run_unary(args, runtime, async || bare_echo::connect(server()?).await),
        ClientKind::Policy => run_policy(args),
        ClientKind::GrpcGo => grpc_go::run(args, &name(&args.work)),
    }
}

/// The load-balancing policies that every channel knows, each by one name.
pub(crate) fn policies() -> Vec<String> {
    policy::names()
}

/// The work that needs nobody else.
fn run_policy(args: &ClientArgs) -> Result<Sample, Error> {
    match args.work {
        Work::Pick => policy::pick(&args.policy, args.concurrency, args.threads, Duration::from_secs_f64(args.seconds)),
        Work::Ready => policy::ready(&args.policy, args.concurrency),
        Work::Update => policy::update(&args.policy, args.concurrency),
        _ => Err(no_such_work(args)),
    }
}

fn no_such_work(args: &ClientArgs) -> Error {
    Error::NoSuchWork { client: name(&args.kind), work: name(&args.work) }
}

/// The work that needs nothing but unary calls.
fn run_unary<C: Connection>(
    args: &ClientArgs,
    runtime: &Runtime,
    connect: impl AsyncFn() -> Result<C, Error>,
) -> Result<Sample, Error> {
    if args.work == Work::Idle {
        return runtime.block_on(footprint::idle(connect, args.concurrency, resident_at_rest));
    }
    let connection = runtime.block_on(connect())?;
    let (payload, callers) = (args.payload(), || connection.caller());
    match args.work {
        Work::Unary => load::run(runtime, callers, &payload, &args.load()),
        Work::Hold => runtime.block_on(footprint::held(callers, &payload, args.concurrency, resident_at_rest)),
        Work::Growth => {
            runtime.block_on(footprint::growth(callers, &payload, args.concurrency, args.calls, resident_at_rest))
        }
        _ => Err(no_such_work(args)),
    }
}
