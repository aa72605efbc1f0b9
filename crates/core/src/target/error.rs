//! What can be wrong with a target, piece by piece.

use thiserror::Error;

/// What is wrong with a target.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum TargetError {
    /// There is no text at all.
    #[error("the target is empty")]
    Empty,
    /// A URI of a scheme for which no resolver is registered.
    #[error("target {target:?}: no resolver is registered for the scheme {scheme:?}")]
    UnknownScheme {
        /// The target.
        target: String,
        /// Its scheme.
        scheme: String,
    },
    /// A URI of a scheme that has no authorities names one.
    #[error("{scheme:?} targets have no authority, but this one names {authority:?}: write {scheme}:PATH")]
    UnexpectedAuthority {
        /// The scheme.
        scheme: String,
        /// What stands between `//` and the next slash.
        authority: String,
    },
    /// Nothing follows the scheme and the authority.
    #[error("target {target:?} names nothing to connect to")]
    NoPath {
        /// The target.
        target: String,
    },
    /// A `%` that two hexadecimal digits don't follow.
    #[error("path {path:?}: {escape:?} is not a percent-escape")]
    Escape {
        /// The path, as written.
        path: String,
        /// The piece that should be an escape.
        escape: String,
    },
    /// The path is not a name once its percent-escapes are decoded.
    #[error("path {path:?}: decoded, it is not UTF-8 or has a NUL")]
    Bytes {
        /// The path, as written.
        path: String,
    },
    /// `host:port` has no host.
    #[error("{text:?} has no host")]
    MissingHost {
        /// The text that should be `host:port`.
        text: String,
    },
    /// The host is not one.
    #[error("{text:?}: {host:?} is not a host name or an IP address")]
    Host {
        /// The text that should be `host:port`.
        text: String,
        /// The piece that should be the host.
        host: String,
    },
    /// The port is not one.
    #[error("{text:?}: the port {port:?} is not a number from 1 to 65535")]
    Port {
        /// The text that should be `host:port`.
        text: String,
        /// The piece that should be the port.
        port: String,
    },
    /// A resolver cannot make sense of a piece of the target.
    #[error("{piece:?}: {reason}")]
    Rejected {
        /// The piece that is wrong.
        piece: String,
        /// Why: "not an IPv4 address".
        reason: String,
    },
    /// An `:authority` that somebody set is not one.
    #[error("the authority {authority:?} is not a host, or a host and a port")]
    Authority {
        /// What was set.
        authority: String,
    },
    /// The scheme's resolver has no use for the target.
    #[error("target {target:?}: {reason}")]
    Unfit {
        /// The target.
        target: String,
        /// Why, in the resolver's words.
        reason: String,
    },
}
