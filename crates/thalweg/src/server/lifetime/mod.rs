//! How long a connection lives (A9): idleness, age, and the drain that ends it, as a machine that is told the time.

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

/// How long a client may take to acknowledge that we are going away, before a connection without calls is closed.
pub(super) const ACKNOWLEDGE: Duration = Duration::from_secs(5);

/// The limits on a connection's life. `None` is for ever.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LifetimeLimits {
    /// GOAWAY after this long without a call.
    pub(super) idle: Option<Duration>,
    /// GOAWAY at this age.
    pub(super) age: Option<Duration>,
    /// What calls in flight have after that.
    pub(super) grace: Option<Duration>,
}

/// What to do now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Next {
    /// Nothing before this time, or before something changes.
    Wait(Option<Instant>),
    /// Say GOAWAY, and ask again.
    Drain,
    /// Say the last GOAWAY, which takes no more calls, and ask again.
    Insist,
    /// Close the connection.
    Cut,
}

/// One connection's life.
#[derive(Debug)]
pub(super) struct Lifetime {
    limits: LifetimeLimits,
    /// When its age is reached.
    aged: Option<Instant>,
    /// Since when it has had no call; `None` while it has one.
    idle_since: Option<Instant>,
    drain: Option<Drain>,
}

#[derive(Clone, Copy, Debug)]
struct Drain {
    /// By when the client should have acknowledged it.
    acknowledged: Instant,
    /// It was said without that.
    insisted: bool,
    /// When what is left is cut off.
    cut: Option<Instant>,
}

impl Lifetime {
    /// A connection begins. `jitter`, within 0 and 1, spreads its age over ±10 %, so that connections made together don't
    /// end together.
    pub(super) fn new(limits: LifetimeLimits, now: Instant, jitter: f64) -> Self {
        let aged = limits.age.and_then(|age| {
            let spread = Duration::try_from_secs_f64(age.as_secs_f64() * (0.9 + 0.2 * jitter));
            now.checked_add(spread.ok()?)
        });
        Self { limits, aged, idle_since: Some(now), drain: None }
    }

    /// Calls are in flight, or none is.
    pub(super) fn set_active(&mut self, active: bool, now: Instant) {
        self.idle_since = if active { None } else { self.idle_since.or(Some(now)) };
    }

    /// GOAWAY is said; what is not done is cut off at `cut`, if ever.
    pub(super) fn drain(&mut self, now: Instant, cut: Option<Instant>) {
        match &mut self.drain {
            Some(drain) => drain.cut = [drain.cut, cut].into_iter().flatten().min(),
            None => self.drain = Some(Drain { acknowledged: now + ACKNOWLEDGE, insisted: false, cut }),
        }
    }

    /// What to do at `now`.
    pub(super) fn decide(&mut self, now: Instant) -> Next {
        let Some(drain) = &mut self.drain else { return self.decide_to_drain(now) };
        if drain.cut.is_some_and(|cut| cut <= now) {
            return Next::Cut;
        }
        if drain.acknowledged > now {
            return Next::Wait(Some(drain.cut.map_or(drain.acknowledged, |cut| cut.min(drain.acknowledged))));
        }
        if !std::mem::replace(&mut drain.insisted, true) {
            return Next::Insist;
        }
        // A client that has not answered keeps nothing but its calls alive.
        if self.idle_since.is_some() { Next::Cut } else { Next::Wait(drain.cut) }
    }

    fn decide_to_drain(&mut self, now: Instant) -> Next {
        let idle = self.idle_since.zip(self.limits.idle).and_then(|(since, idle)| since.checked_add(idle));
        match [self.aged, idle].into_iter().flatten().min() {
            Some(at) if at <= now => {
                let cut = self.limits.grace.and_then(|grace| now.checked_add(grace));
                self.drain(now, cut);
                Next::Drain
            }
            at => Next::Wait(at),
        }
    }
}
