//! Why a benchmark could not be finished.

use std::{io, time::Duration};

/// Why a benchmark, or a process it started, gave up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The system refused something.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system says.
        source: io::Error,
    },
    /// A call failed; under a benchmark none may.
    #[error("a call failed: {0}")]
    Call(Box<tonic::Status>),
    /// tonic's transport failed outside a call.
    #[error("tonic's transport: {0}")]
    Tonic(#[from] tonic::transport::Error),
    /// thalweg's channel cannot be built.
    #[error("thalweg's channel: {0}")]
    Channel(#[from] thalweg::channel::BuildError),
    /// thalweg takes no such credentials.
    #[error("thalweg's credentials: {0}")]
    Credentials(#[from] thalweg::credentials::CredentialsError),
    /// rustls takes no such certificate or name.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// No certificate could be made.
    #[error("a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// thalweg's channel does not connect.
    #[error("thalweg's channel does not get ready: no connection to {0}")]
    NotReady(std::net::SocketAddr),
    /// thalweg's server cannot start.
    #[error("thalweg's server: {0}")]
    Server(#[from] thalweg::server::ServerError),
    /// The HTTP/2 library failed under a client or server without a stub.
    #[error("h2: {0}")]
    H2(#[from] h2::Error),
    /// A reply is not the echo of its request.
    #[error("a reply of {got} bytes to a call that wants {want}")]
    WrongReply {
        /// Bytes that came.
        got: usize,
        /// Bytes that should have come.
        want: usize,
    },
    /// A reply without a stub ended with another `grpc-status` than 0.
    #[error("a call ended with grpc-status {0:?}")]
    Refused(Option<http::HeaderValue>),
    /// The other side ended a stream or a connection that was in use.
    #[error("the other side ended a stream that was in use")]
    StreamEnded,
    /// A client can't do such work.
    #[error("client {client}, --work {work}: that takes another client")]
    NoSuchWork {
        /// The client.
        client: String,
        /// The work.
        work: String,
    },
    /// There is no load-balancing policy of this name, or not on this side.
    #[error("no load-balancing policy is called {0}")]
    NoSuchPolicy(String),
    /// A load-balancing policy takes no such configuration.
    #[error("the policy's configuration: {0}")]
    PolicyConfig(#[from] thalweg_core::json::ConfigError),
    /// A load-balancing policy leaves calls without a subchannel although all are READY.
    #[error("{0} leaves calls waiting although every connection is there")]
    CallsWait(String),
    /// The process did not come to rest.
    #[error("the process is still busy {0:?} after it was left alone")]
    Restless(Duration),
    /// A client that connects was not told where.
    #[error("this client needs --server")]
    NoServer,
    /// Calls were still open long after the window had closed.
    #[error("calls still hang {0:?} after the measured window")]
    Stalled(Duration),
    /// No call ended within the window.
    #[error("not one call ended within {0:?}")]
    NoCalls(Duration),
    /// A process that the harness started failed or said something it does not understand.
    #[error("`{role}` {problem}")]
    Child {
        /// Its arguments.
        role: String,
        /// What went wrong.
        problem: String,
    },
    /// No cell has such a name.
    #[error("--only {0}: no cell has this in its name")]
    NoSuchCell(String),
    /// A verdict needs more pairs.
    #[error("--rounds {rounds}: --check needs at least {least}")]
    TooFewRounds {
        /// How many there would be.
        rounds: usize,
        /// How many it takes.
        least: usize,
    },
}

impl Error {
    /// Says what was tried when the system refused.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    /// Fails if a reply has another length than its request asks for.
    pub(crate) fn unless_echo(got: usize, want: usize) -> Result<(), Self> {
        if got == want { Ok(()) } else { Err(Self::WrongReply { got, want }) }
    }

    /// Fails if a reply without a stub did not end well.
    pub(crate) fn unless_ok(status: Option<http::HeaderValue>) -> Result<(), Self> {
        if status.as_ref().is_some_and(|status| status == "0") { Ok(()) } else { Err(Self::Refused(status)) }
    }
}

impl From<tonic::Status> for Error {
    fn from(status: tonic::Status) -> Self {
        Self::Call(Box::new(status))
    }
}
