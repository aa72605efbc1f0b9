//! The order of the calls that wait for a stream of a subchannel: who stands, who was called up, and who did not come.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    task::Waker,
    time::{Duration, Instant},
};

/// How long the streams of calls that were called up are kept for them. One that nobody polls does not hold up the others for
/// longer.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// What a call in the queue is told when it looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Look {
    /// There is a stream for it.
    Called,
    /// Not yet: it will be woken.
    Stands,
    /// It is not in the queue: whoever ran it has sent all away.
    Gone,
}

/// Calls in the order in which they came. Nothing here knows of connections or locks; everything costs O(log n).
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// By number, those who wait to be called.
    standing: BTreeMap<u64, Option<Waker>>,
    /// Those who were called and have not come yet, since when.
    called: BTreeMap<u64, Instant>,
    /// Those who were called and did not come in time. They may come back.
    absent: BTreeSet<u64>,
    /// How many have ever come.
    joined: u64,
}

impl Queue {
    /// Takes the last place. Its number.
    pub(super) fn join(&mut self) -> u64 {
        self.joined += 1;
        self.standing.insert(self.joined, None);
        self.joined
    }

    /// Gives a place up, because the call has its stream or does not want one any more.
    pub(super) fn leave(&mut self, number: u64) {
        let _was_there = self.standing.remove(&number).is_some()
            || self.called.remove(&number).is_some()
            || self.absent.remove(&number);
    }

    /// A call looks whether it was called, and will be woken by `waker` if it is not.
    pub(super) fn look(&mut self, number: u64, waker: &Waker) -> Look {
        if self.called.contains_key(&number) {
            return Look::Called;
        }
        if self.absent.remove(&number) {
            self.standing.insert(number, None);
        }
        match self.standing.get_mut(&number) {
            Some(place) => {
                place.replace(waker.clone());
                Look::Stands
            }
            None => Look::Gone,
        }
    }

    /// Is this call in the queue?
    pub(super) fn has(&self, number: u64) -> bool {
        self.standing.contains_key(&number) || self.called.contains_key(&number) || self.absent.contains(&number)
    }

    /// A call that was called has found no stream: it stands again where it stood.
    pub(super) fn stand_again(&mut self, number: u64) {
        if self.called.remove(&number).is_some() {
            self.standing.insert(number, None);
        }
    }

    /// There are `room` streams: calls up the first who stand, until as many have been called.
    pub(super) fn call_up(&mut self, room: usize, now: Instant, wake: &mut Vec<Waker>) {
        while self.called.len() < room
            && let Some((number, waker)) = self.standing.pop_first()
        {
            self.called.insert(number, now);
            wake.extend(waker);
        }
    }

    /// Whoever was called [`PATIENCE`] ago and has not come does not count any more.
    pub(super) fn pass_over(&mut self, now: Instant) {
        let absent = &mut self.absent;
        self.called.retain(|number, since| {
            let in_time = now.saturating_duration_since(*since) < PATIENCE;
            if !in_time {
                absent.insert(*number);
            }
            in_time
        });
    }

    /// Sends everybody away.
    pub(super) fn dismiss(&mut self, wake: &mut Vec<Waker>) {
        wake.extend(std::mem::take(&mut self.standing).into_values().flatten());
        self.called.clear();
        self.absent.clear();
    }

    /// Is there somebody to call up?
    pub(super) fn has_standing(&self) -> bool {
        !self.standing.is_empty()
    }

    /// How many streams it takes to let everybody go who would.
    pub(super) fn demand(&self) -> usize {
        self.standing.len() + self.called.len()
    }

    /// How many are in the queue.
    pub(super) fn len(&self) -> usize {
        self.demand() + self.absent.len()
    }

    /// How many have ever been.
    pub(super) fn joined(&self) -> u64 {
        self.joined
    }
}
