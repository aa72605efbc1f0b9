//! What callers do: pick, wake, start and end calls.

use std::time::{Duration, Instant};

use thalweg_core::{
    lb::{CallEnd, Event, Pick, PickArgs, SubchannelId, Tracker, Wake},
    status::Code,
};

use super::{Sim, Watching};
use crate::input::Input;

/// A call in flight. It may outlive its subchannel, its policy and the simulation.
#[derive(Debug)]
pub struct Call {
    subchannel: SubchannelId,
    began: Instant,
    observers: Vec<Tracker>,
}

impl Call {
    /// Where it was sent.
    #[must_use]
    pub fn subchannel(&self) -> SubchannelId {
        self.subchannel
    }

    /// Ends the call, so long after it began, and tells everybody who observes it.
    pub fn end(self, code: Code, latency: Duration) {
        let at = self.began + latency;
        self.end_with(&CallEnd::new(code, at, latency));
    }

    /// Ends the call with more to tell: a load report, trailers.
    pub fn end_with(self, end: &CallEnd<'_>) {
        self.observers.iter().for_each(|observer| observer.end(end));
    }
}

impl Sim {
    /// The arguments of the next pick, with a random seed of its own; change them as you like.
    #[must_use]
    pub fn args(&self) -> PickArgs<'static> {
        self.picks.set(self.picks.get().wrapping_add(1));
        PickArgs::new("/sim.Service/Call", self.now, self.picks.get())
    }

    /// Picks, and tells nobody of the wake that the pick may ask for.
    #[must_use]
    pub fn peek(&self, args: &PickArgs<'_>) -> Pick {
        self.picker.pick(args)
    }

    /// Picks, and wakes whom the pick asks to wake.
    pub fn pick(&mut self) -> Pick {
        let args = self.args();
        self.pick_with(&args)
    }

    /// Picks with these arguments, and wakes whom the pick asks to wake.
    pub fn pick_with(&mut self, args: &PickArgs<'_>) -> Pick {
        let pick = self.peek(args);
        if let Some(wake) = args.wanted() {
            self.wake(wake);
        }
        pick
    }

    /// The address that the next call goes to, if it goes anywhere.
    pub fn served_by(&mut self) -> Option<String> {
        let args = self.args();
        self.served_by_with(&args)
    }

    /// The address that a call with these arguments goes to, if it goes anywhere.
    pub fn served_by_with(&mut self, args: &PickArgs<'_>) -> Option<String> {
        match self.pick_with(args) {
            Pick::Use(id) => self.address(id).map(ToString::to_string),
            Pick::Queue | Pick::Fail(_) | Pick::Drop(_) => None,
        }
    }

    /// Starts a call.
    ///
    /// # Errors
    ///
    /// The verdict of the pick, if it did not name a subchannel.
    pub fn start_call(&mut self) -> Result<Call, Pick> {
        let args = self.args();
        self.start_call_with(&args)
    }

    /// Starts a call, picking with these arguments.
    ///
    /// # Errors
    ///
    /// The verdict of the pick, if it did not name a subchannel.
    pub fn start_call_with(&mut self, args: &PickArgs<'_>) -> Result<Call, Pick> {
        let subchannel = match self.pick_with(args) {
            Pick::Use(id) => id,
            verdict @ (Pick::Queue | Pick::Fail(_) | Pick::Drop(_)) => return Err(verdict),
        };
        let watches = self.subchannels.get(&subchannel).into_iter().flat_map(|s| s.watches.values());
        let observers: Vec<_> = watches
            .filter_map(|what| match what {
                Watching::Calls(observer) => Some(Tracker::clone(observer)),
                Watching::Health(_) | Watching::Load(_) => None,
            })
            .collect();
        observers.iter().for_each(|observer| observer.start());
        Ok(Call { subchannel, began: self.now, observers })
    }

    fn wake(&mut self, wake: Wake) {
        let offered = self.wakes.contains(&wake);
        self.demand(offered, || format!("a picker hands out {wake:?}, which is not offered"));
        self.batch([Input::Event(Event::Wake(wake))]);
        self.settle();
    }
}
