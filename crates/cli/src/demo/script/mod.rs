//! The story of the demo: one backend is drained and comes back, another is killed and comes back, and so on.

#[cfg(test)]
mod tests;

use std::time::Duration;

use thalweg::server::ServerError;
use tokio::time::{Instant, sleep_until};

use super::{
    fleet::Fleet,
    news::{Teller, What},
};

/// A run that is at least twice as long has as many acts as fit.
const ACT: Duration = Duration::from_secs(20);

/// What is done to a backend.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Deed {
    Drain,
    Kill,
    BringBack,
}

/// What is done to which backend, and when after the start.
type Scene = (Duration, usize, Deed);

/// The scenes of a run of this length with so many backends: each act is about the next two of them.
fn scenes(duration: Duration, backends: usize) -> Vec<Scene> {
    let acts = (duration.as_secs() / ACT.as_secs()).max(1) as u32;
    let length = duration / acts;
    let act = |act: u32| {
        let drained = 2 * act as usize % backends;
        let killed = (drained + 1) % backends;
        [
            (0.2, drained, Deed::Drain),
            (0.4, drained, Deed::BringBack),
            (0.55, killed, Deed::Kill),
            (0.75, killed, Deed::BringBack),
        ]
        .map(|(share, backend, deed)| (length * act + length.mul_f64(share), backend, deed))
    };
    (0..acts).flat_map(act).collect()
}

/// Plays all scenes of a run of this length.
///
/// A killing is told before it is done, so that nobody hears of its victims first.
pub(super) async fn play(fleet: &mut Fleet, duration: Duration, teller: &Teller) -> Result<(), ServerError> {
    let start = Instant::now();
    for (at, backend, deed) in scenes(duration, fleet.size()) {
        sleep_until(start + at).await;
        let in_flight = fleet.in_flight(backend);
        match deed {
            Deed::Drain => {
                teller.tell(backend, What::Draining { in_flight });
                fleet.drain(backend).await;
                teller.tell(backend, What::Drained);
            }
            Deed::Kill => {
                teller.tell(backend, What::Killed { in_flight });
                fleet.kill(backend).await;
            }
            Deed::BringBack => {
                fleet.bring_back(backend).await?;
                teller.tell(backend, What::Back);
            }
        }
    }
    Ok(())
}
