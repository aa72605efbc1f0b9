//! What happens to backends, told as it happens.

use std::fmt;

use thalweg::core::connectivity::Connectivity;
use tokio::{sync::mpsc, time::Instant};

use super::figures;

/// Something happened to a backend.
#[derive(Clone, Debug)]
pub(super) struct News {
    pub(super) at: Instant,
    pub(super) backend: usize,
    pub(super) what: What,
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum What {
    /// It is asked to stop, with so many calls in its hands.
    Draining { in_flight: u64 },
    /// It has finished its calls and stopped.
    Drained,
    /// It is about to be killed, with so many calls in its hands.
    Killed { in_flight: u64 },
    /// It serves again.
    Back,
    /// Its connection, as the channel sees it.
    Connection(Connectivity),
}

impl fmt::Display for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = figures::name(self.backend);
        match &self.what {
            What::Draining { in_flight } => write!(f, "{name} is drained, {} in flight", figures::counted(*in_flight)),
            What::Drained => write!(f, "{name} has drained and is gone"),
            What::Killed { in_flight } => write!(f, "{name} is killed, {} in flight", figures::counted(*in_flight)),
            What::Back => write!(f, "{name} serves again"),
            What::Connection(state) => write!(f, "the channel sees {name} {state}"),
        }
    }
}

/// Whoever has news tells them here. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Teller(mpsc::UnboundedSender<News>);

impl Teller {
    /// A teller and its listener.
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<News>) {
        let (sender, listener) = mpsc::unbounded_channel();
        (Self(sender), listener)
    }

    /// Tells what happens to a backend right now.
    pub(super) fn tell(&self, backend: usize, what: What) {
        // When the demo is over, nobody listens any more.
        let _ = self.0.send(News { at: Instant::now(), backend, what });
    }
}
