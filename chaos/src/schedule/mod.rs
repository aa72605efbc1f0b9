//! What happens to which backend when: a function of the seed.

#[cfg(test)]
mod tests;

use std::time::Duration;

/// How many backends there are.
pub(crate) const BACKENDS: usize = 6;
/// How many of them are at fault at a time, at most.
pub(crate) const AT_FAULT: usize = 3;
/// Milliseconds from one fault to the next.
const PAUSES: std::ops::Range<u64> = 200..800;
/// Milliseconds that a fault lasts.
const LASTS: std::ops::Range<u64> = 1_000..3_000;

/// What is wrong with a backend.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// Its process is gone, and with it its connections.
    Killed,
    /// It takes its time.
    Slow,
    /// Half of its calls fail.
    Failing,
    /// It says that it is NOT_SERVING.
    NotServing,
}

impl Fault {
    const ALL: [Self; 4] = [Self::Killed, Self::Slow, Self::Failing, Self::NotServing];

    /// One letter of it.
    pub(crate) fn letter(self) -> char {
        match self {
            Self::Killed => 'K',
            Self::Slow => 's',
            Self::Failing => 'F',
            Self::NotServing => 'N',
        }
    }
}

/// A backend gets a fault, or is well again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Event {
    pub(crate) at: Duration,
    pub(crate) backend: usize,
    pub(crate) fault: Option<Fault>,
}

/// All events of this long, in their order. All backends are well at the beginning.
pub(crate) fn events(seed: u64, within: Duration) -> Vec<Event> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut well_at = [Duration::ZERO; BACKENDS];
    let (mut events, mut now) = (vec![], Duration::from_secs(1));
    while now < within {
        let well: Vec<usize> = (0..BACKENDS).filter(|backend| well_at[*backend] <= now).collect();
        if BACKENDS - well.len() < AT_FAULT {
            let backend = well[random.usize(..well.len())];
            let fault = Fault::ALL[random.usize(..Fault::ALL.len())];
            well_at[backend] = now + Duration::from_millis(random.u64(LASTS));
            events.push(Event { at: now, backend, fault: Some(fault) });
            events.push(Event { at: well_at[backend], backend, fault: None });
        }
        now += Duration::from_millis(random.u64(PAUSES));
    }
    events.sort_by_key(|event| event.at);
    events
}
