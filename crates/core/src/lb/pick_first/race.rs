//! The race for a connection: Happy Eyeballs over a list of addresses, then each on its own (A61, RFC 8305 §5).

use std::time::Duration;

use super::addresses::Listed;
use crate::{
    connectivity::Connectivity,
    endpoint::{Address, Endpoint},
    lb::{
        cx::Cx,
        event::SubchannelState,
        failure::{BackendFailure, Failure},
        token::{SubchannelId, Timer},
    },
};

/// How long an attempt may take before the next address joins the race (RFC 8305's Connection Attempt Delay).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// What an event meant for the race.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Turn {
    /// Nothing that anybody else need know.
    Nothing,
    /// This subchannel is connected: the race is won.
    Won(SubchannelId),
    /// A connection came and went before it could be used.
    Lost(SubchannelId),
    /// Every address has failed; with `resolve`, the resolver may know better.
    Failed { resolve: bool },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Phase {
    /// Not running: won, or not wanted yet.
    #[default]
    Off,
    /// One address after the other.
    FirstPass,
    /// All have failed once: each connects again as soon as its own backoff is over.
    Retrying,
}

/// An address of the list. Its subchannel is made when its turn comes.
#[derive(Debug)]
struct Entry {
    endpoint: Endpoint,
    address: Address,
    subchannel: Option<(SubchannelId, Connectivity)>,
    /// Has it failed in this pass?
    failed: bool,
    /// Its latest failure, in this pass or before.
    failure: Option<BackendFailure>,
}

impl Entry {
    fn new((endpoint, address): Listed) -> Self {
        Self { endpoint, address, subchannel: None, failed: false, failure: None }
    }

    fn is(&self, id: SubchannelId) -> bool {
        self.subchannel.is_some_and(|(own, _)| own == id)
    }

    /// Connects if that is possible now, and says whether an attempt is under way.
    fn attempt(&mut self, cx: &mut Cx<'_>) -> bool {
        let (id, state) = match self.subchannel {
            Some(subchannel) => subchannel,
            None => (cx.create(&self.endpoint, &self.address), Connectivity::Idle),
        };
        if state == Connectivity::Idle {
            cx.connect(id);
            self.subchannel = Some((id, Connectivity::Connecting));
        }
        matches!(state, Connectivity::Idle | Connectivity::Connecting)
    }

    fn shut_down(&mut self, cx: &mut Cx<'_>) {
        if let Some((id, _)) = self.subchannel.take() {
            cx.shutdown(id);
        }
    }

    /// Takes the new state of its subchannel in; says what it was before.
    fn note(&mut self, id: SubchannelId, state: &SubchannelState) -> Connectivity {
        if let SubchannelState::TransientFailure { reason, retry_at } = state {
            let (address, reason) = (self.address.clone(), reason.clone());
            self.failure = Some(BackendFailure { address, reason, retry_at: Some(*retry_at) });
        }
        self.subchannel.replace((id, state.connectivity())).map_or(Connectivity::Idle, |(_, before)| before)
    }
}

/// The addresses, and how far the race has come.
#[derive(Debug, Default)]
pub(super) struct Race {
    entries: Vec<Entry>,
    phase: Phase,
    /// The first entry whose turn has not come in this pass.
    next: usize,
    timer: Option<Timer>,
    /// Since the resolver was last asked.
    failures: usize,
}

impl Race {
    /// Takes a new list, keeping the subchannels of addresses that stay. Says whether the list differs from the old one.
    pub(super) fn relist(&mut self, cx: &mut Cx<'_>, list: Vec<Listed>) -> bool {
        if self.entries.iter().map(|entry| &entry.address).eq(list.iter().map(|(_, address)| address)) {
            for (entry, (endpoint, _)) in self.entries.iter_mut().zip(list) {
                entry.endpoint = endpoint;
            }
            return false;
        }
        let mut old = std::mem::take(&mut self.entries);
        old.sort_by(|a, b| a.address.cmp(&b.address));
        self.entries = list.into_iter().map(Entry::new).collect();
        for entry in &mut self.entries {
            if let Ok(place) = old.binary_search_by(|o| o.address.cmp(&entry.address)) {
                entry.subchannel = old[place].subchannel.take();
                entry.failure = old[place].failure.take();
            }
        }
        for entry in &mut old {
            entry.shut_down(cx);
        }
        true
    }

    /// Begins a first pass, which is over at once if every address is in backoff.
    pub(super) fn start(&mut self, cx: &mut Cx<'_>) -> Turn {
        for entry in &mut self.entries {
            entry.failed = false;
        }
        (self.phase, self.next) = (Phase::FirstPass, 0);
        self.advance(cx)
    }

    /// Ends the race; only `winner` keeps its subchannel.
    pub(super) fn stop(&mut self, cx: &mut Cx<'_>, winner: Option<SubchannelId>) {
        self.phase = Phase::Off;
        self.stop_timer(cx);
        for entry in self.entries.iter_mut().filter(|entry| !winner.is_some_and(|id| entry.is(id))) {
            entry.shut_down(cx);
        }
    }

    /// The attempt delay is over.
    pub(super) fn on_timer(&mut self, cx: &mut Cx<'_>, timer: Timer) -> Turn {
        if self.timer != Some(timer) {
            return Turn::Nothing;
        }
        self.timer = None;
        self.advance(cx)
    }

    /// A subchannel changed state.
    pub(super) fn on_subchannel(&mut self, cx: &mut Cx<'_>, id: SubchannelId, state: &SubchannelState) -> Turn {
        let Some(place) = self.entries.iter().position(|entry| entry.is(id)) else { return Turn::Nothing };
        let entry = &mut self.entries[place];
        let before = entry.note(id, state);
        match (self.phase, state.connectivity()) {
            (Phase::Off, _) => Turn::Nothing,
            (_, Connectivity::Ready) => Turn::Won(id),
            (Phase::FirstPass, Connectivity::Idle) if before == Connectivity::Connecting => Turn::Lost(id),
            (Phase::FirstPass, Connectivity::TransientFailure) => self.failed_in_first_pass(cx, place),
            (Phase::Retrying, Connectivity::TransientFailure) => self.failed_again(),
            (Phase::Retrying, Connectivity::Idle) => {
                entry.attempt(cx);
                Turn::Nothing
            }
            _ => Turn::Nothing,
        }
    }

    /// Every address that has failed, and why.
    pub(super) fn failure(&self) -> Failure {
        Failure::of(self.entries.iter().filter_map(|entry| entry.failure.clone()))
    }

    /// Is the list empty?
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The address of a subchannel, if it is one of the race's.
    pub(super) fn address(&self, id: SubchannelId) -> Option<&Address> {
        self.entries.iter().find(|entry| entry.is(id)).map(|entry| &entry.address)
    }

    /// Starts the next attempt of the first pass, passing over addresses that are in backoff.
    fn advance(&mut self, cx: &mut Cx<'_>) -> Turn {
        self.stop_timer(cx);
        while let Some(entry) = self.entries.get_mut(self.next) {
            self.next += 1;
            if entry.attempt(cx) {
                if self.next < self.entries.len() {
                    self.timer = Some(cx.arm(ATTEMPT_DELAY));
                }
                return Turn::Nothing;
            }
            entry.failed = true;
        }
        self.end_first_pass(cx)
    }

    /// The latest attempt makes room for the next; an earlier one leaves the timer alone.
    fn failed_in_first_pass(&mut self, cx: &mut Cx<'_>, place: usize) -> Turn {
        if place >= self.next {
            return Turn::Nothing;
        }
        self.entries[place].failed = true;
        if place + 1 == self.next { self.advance(cx) } else { self.end_first_pass(cx) }
    }

    fn end_first_pass(&mut self, cx: &mut Cx<'_>) -> Turn {
        if !self.entries.iter().all(|entry| entry.failed) {
            return Turn::Nothing;
        }
        (self.phase, self.failures) = (Phase::Retrying, 0);
        for entry in &mut self.entries {
            entry.attempt(cx);
        }
        Turn::Failed { resolve: true }
    }

    /// As many failures as there are addresses are worth another question to the resolver.
    fn failed_again(&mut self) -> Turn {
        self.failures += 1;
        let resolve = self.failures >= self.entries.len();
        if resolve {
            self.failures = 0;
        }
        Turn::Failed { resolve }
    }

    fn stop_timer(&mut self, cx: &mut Cx<'_>) {
        if let Some(timer) = self.timer.take() {
            cx.cancel(timer);
        }
    }
}
