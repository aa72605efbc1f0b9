//! What can happen to a policy.

use std::{any::Any, fmt::Debug, sync::Arc, time::Instant};

use super::token::{SubchannelId, Timer, Token, Wake, Watch};
use crate::{connectivity::Connectivity, endpoint::Endpoint, orca::LoadReport};

/// The raw state of one subchannel.
///
/// After a failure the channel waits the backoff out and then says `Idle`; only then may a policy connect again. When the
/// last connection ends (or the server drains it), `Ready` becomes `Idle`; `Connecting`, if an attempt for another one was
/// under way; or `TransientFailure`, if such an attempt has failed and the backoff is not over (A105).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SubchannelState {
    /// Not connected; may be connected.
    Idle,
    /// An attempt is under way.
    Connecting,
    /// Connected, at least once (A105): the only state in which a picker may name it.
    Ready,
    /// The last attempt failed; a new one is possible from `retry_at` on.
    TransientFailure {
        /// What went wrong, without the address.
        reason: Arc<str>,
        /// When the backoff is over.
        retry_at: Instant,
    },
}

impl SubchannelState {
    /// The state without its story.
    #[must_use]
    pub fn connectivity(&self) -> Connectivity {
        match self {
            Self::Idle => Connectivity::Idle,
            Self::Connecting => Connectivity::Connecting,
            Self::Ready => Connectivity::Ready,
            Self::TransientFailure { .. } => Connectivity::TransientFailure,
        }
    }
}

/// The health of a READY subchannel (A17, A61). Every watch is answered at least once; with no health check configured
/// the answer is `Serving`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Health {
    /// Not known yet.
    Pending,
    /// Calls may be sent.
    Serving,
    /// No calls, and why.
    NotServing(Arc<str>),
}

/// A policy's parsed configuration: any type of the policy's own.
pub trait AnyConfig: Any + Send + Sync + Debug {}
impl<T: Any + Send + Sync + Debug> AnyConfig for T {}

impl dyn AnyConfig {
    /// The configuration as the policy's own type, if it is one.
    #[must_use]
    pub fn downcast_ref<T: AnyConfig>(&self) -> Option<&T> {
        (self as &dyn Any).downcast_ref()
    }
}

/// What the resolver found, and this policy's configuration (`None`: as before, or the default).
#[derive(Clone, Debug, Default)]
pub struct Resolution {
    /// The backends. Equal ones (by [`Endpoint::key`]) count once.
    pub endpoints: Arc<[Endpoint]>,
    /// Parsed by this policy's own factory.
    pub config: Option<Arc<dyn AnyConfig>>,
}

impl Resolution {
    /// The configuration as the policy's own type, if there is one and it is of that type.
    #[must_use]
    pub fn config_as<T: AnyConfig>(&self) -> Option<&T> {
        self.config.as_deref()?.downcast_ref()
    }
}

/// The resolver should back off and ask again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rejected;

/// Everything that is addressed by a token.
#[derive(Clone, Debug)]
pub enum Event {
    /// A subchannel changed state.
    Subchannel(SubchannelId, SubchannelState),
    /// A watched subchannel reports its health.
    Health(Watch, Health),
    /// A watched subchannel reports its load.
    Load(Watch, LoadReport),
    /// A timer fired; it is dead now.
    Timer(Timer),
    /// A pick handed this wake out.
    Wake(Wake),
}

impl Event {
    /// Whom the event is for.
    #[must_use]
    pub fn token(&self) -> Token {
        match self {
            Self::Subchannel(id, _) => Token::Subchannel(*id),
            Self::Health(watch, _) | Self::Load(watch, _) => Token::Watch(*watch),
            Self::Timer(timer) => Token::Timer(*timer),
            Self::Wake(wake) => Token::Wake(*wake),
        }
    }
}
