//! Why a channel cannot be built.

use thalweg_core::{backoff::BackoffError, json::ConfigError, target::TargetError};
use thiserror::Error;

use crate::transport::{connector::proxy::ProxyError, options::OptionError};

/// Which option of connection scaling is out of its range.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum ScalingError {
    /// No connection at all.
    #[error("connection scaling: the limit of connections must be at least 1")]
    Limit,
    /// Fewer than one to begin with, or more than there may be.
    #[error("connection scaling: initial is {initial}, and must be from 1 to the limit of {limit}")]
    Initial {
        /// What it is.
        initial: u32,
        /// The limit.
        limit: u32,
    },
    /// Every connection would be closed at once.
    #[error("connection scaling: the idle timeout must be above zero; None is for never")]
    IdleTimeout,
}

/// Which piece of a channel's description is wrong, and why.
#[derive(Clone, PartialEq, Debug, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The target.
    #[error("{0}")]
    Target(#[from] TargetError),
    /// The default service config.
    #[error("default service config: {0}")]
    ServiceConfig(#[from] ConfigError),
    /// The backoff.
    #[error("{0}")]
    Backoff(#[from] BackoffError),
    /// The HTTP/2 options.
    #[error("{0}")]
    Http2(#[from] OptionError),
    /// The number of connections.
    #[error("{0}")]
    Scaling(#[from] ScalingError),
    /// The proxy.
    #[error("{0}")]
    Proxy(#[from] ProxyError),
    /// The user agent.
    #[error("user agent {0:?}: only visible ASCII characters and spaces may stand in it")]
    UserAgent(String),
    /// What would be the `:authority` of calls to this target cannot be one.
    #[error(
        "target {target:?}: calls cannot bear the authority {authority:?}: name one with ChannelBuilder::authority"
    )]
    DefaultAuthority {
        /// The target.
        target: String,
        /// What its resolver makes of it.
        authority: String,
    },
    /// The idle timeout is zero: the channel would never be awake.
    #[error("the idle timeout must be above zero; None is for never")]
    IdleTimeout,
    /// The channel's call credentials need a secure connection, and the channel is plaintext.
    #[error("call credentials need a secure channel, and this one is plaintext")]
    InsecureCallCredentials,
}
