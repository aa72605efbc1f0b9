//! Why a connection could not be made.

use std::{io, sync::Arc, time::Duration};

use thiserror::Error;

use super::WireError;

/// Why a connection could not be made, in the words that end up in a call's error after the address.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The operating system refused ("connection refused").
    #[error("{text}")]
    Io {
        /// The kind of failure.
        kind: io::ErrorKind,
        /// In words, lower case, without "os error".
        text: Arc<str>,
    },
    /// The TLS handshake failed.
    #[error("TLS: {0}")]
    Tls(Arc<str>),
    /// The proxy refused or failed (A1).
    #[error("proxy {proxy}: {reason}")]
    Proxy {
        /// The proxy's host and port.
        proxy: Arc<str>,
        /// What it answered.
        reason: Arc<str>,
    },
    /// The HTTP/2 handshake failed.
    #[error("HTTP/2 handshake: {0}")]
    Handshake(WireError),
    /// What answers a plaintext connection is not HTTP/2.
    #[error("HTTP/2 handshake over plaintext: {0} (does the server expect TLS?)")]
    PlaintextHandshake(WireError),
    /// Nothing came of it in time.
    #[error("{doing} took longer than {after:?}")]
    TimedOut {
        /// What it was doing ("connecting", "TLS handshake").
        doing: &'static str,
        /// The time it had.
        after: Duration,
    },
    /// The connector cannot reach such an address, or the name in it does not resolve.
    #[error("{0}")]
    Address(Arc<str>),
}

impl From<io::Error> for ConnectError {
    fn from(error: io::Error) -> Self {
        Self::Io { kind: error.kind(), text: describe_io(&error).into() }
    }
}

/// An I/O error in plain words: "connection refused", without the number that the system gives it.
pub(crate) fn describe_io(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    match (letters.next(), letters.clone().next()) {
        // A word, and not an abbreviation such as "TLS".
        (Some(first), Some(second)) if second.is_lowercase() => first.to_lowercase().chain(letters).collect(),
        _ => text.to_owned(),
    }
}
