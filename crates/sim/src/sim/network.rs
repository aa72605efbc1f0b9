//! What the network does: attempts succeed or fail, connections end, backends fall sick and report their load.

use std::time::Duration;

use thalweg_core::{
    endpoint::Address,
    lb::{Event, Health, SubchannelId, SubchannelState, Token, Watch},
    orca::LoadReport,
};

use super::{BACKOFF, Sim, Watching};
use crate::{input::Input, place::address};

impl Sim {
    /// The attempt to connect to the address of this [name](address) succeeds.
    ///
    /// # Panics
    ///
    /// No such attempt is under way.
    pub fn accept(&mut self, name: &str) {
        self.change(name, &SubchannelState::Connecting, &SubchannelState::Ready);
    }

    /// The attempt to connect fails, with "connection refused".
    ///
    /// # Panics
    ///
    /// No such attempt is under way.
    pub fn refuse(&mut self, name: &str) {
        self.fail(name, "connection refused");
    }

    /// The attempt to connect fails for this reason.
    ///
    /// # Panics
    ///
    /// No such attempt is under way.
    pub fn fail(&mut self, name: &str, reason: &str) {
        let failure = self.failure(reason);
        self.change(name, &SubchannelState::Connecting, &failure);
    }

    /// The connection ends.
    ///
    /// # Panics
    ///
    /// There is none.
    pub fn close(&mut self, name: &str) {
        self.change(name, &SubchannelState::Ready, &SubchannelState::Idle);
    }

    /// The last connection ends while an attempt for another one is under way (A105).
    ///
    /// # Panics
    ///
    /// There is none.
    pub fn close_while_connecting(&mut self, name: &str) {
        self.change(name, &SubchannelState::Ready, &SubchannelState::Connecting);
    }

    /// The last connection ends after an attempt for another one has failed, with "connection refused" (A105).
    ///
    /// # Panics
    ///
    /// There is none.
    pub fn close_while_backing_off(&mut self, name: &str) {
        let failure = self.failure("connection refused");
        self.change(name, &SubchannelState::Ready, &failure);
    }

    /// The backend of this name is not serving, and why.
    pub fn sicken(&mut self, name: &str, reason: &str) {
        self.set_health(name, Some(reason));
        self.settle();
    }

    /// The backend of this name is serving again.
    pub fn heal(&mut self, name: &str) {
        self.set_health(name, None);
        self.settle();
    }

    /// The backend of this name reports its load to every watch. Says how many were told.
    pub fn report_load(&mut self, name: &str, report: &LoadReport) -> usize {
        let told = self.load_watches(name);
        let inputs: Vec<_> = told.iter().map(|(watch, _)| Input::Event(Event::Load(*watch, report.clone()))).collect();
        self.batch(inputs);
        self.settle();
        told.len()
    }

    /// How often the channel would ask the backend of this name for its load: the shortest interval that is wanted.
    #[must_use]
    pub fn load_interval(&self, name: &str) -> Option<Duration> {
        self.load_watches(name).into_iter().map(|(_, every)| every).min()
    }

    /// Several subchannels change state before the policy's picker is asked for. Unknown ones are skipped.
    pub fn change_states(&mut self, changes: impl IntoIterator<Item = (SubchannelId, SubchannelState)>) {
        for (id, state) in changes {
            if self.subchannels.contains_key(&id) {
                self.set_state(id, state.clone());
                // Only a resolution has a verdict.
                let _ = self.feed(&Input::Event(Event::Subchannel(id, state)));
            }
        }
        self.publish();
    }

    /// A failed attempt, as of now.
    #[must_use]
    pub fn failure(&self, reason: &str) -> SubchannelState {
        SubchannelState::TransientFailure { reason: reason.into(), retry_at: self.now + BACKOFF }
    }

    /// Names a token that died lately in an event, as a channel may do that heard of its end too late.
    pub fn late_event(&mut self) {
        let Some(token) = self.graves.pop_front() else { return };
        self.batch([Input::Event(match token {
            Token::Subchannel(id) => Event::Subchannel(id, SubchannelState::Idle),
            Token::Watch(watch) => Event::Health(watch, Health::Serving),
            Token::Timer(timer) => Event::Timer(timer),
            Token::Wake(wake) => Event::Wake(wake),
        })]);
    }

    /// The health of a backend changes; those who watch it will hear when the simulation settles.
    pub(crate) fn set_health(&mut self, name: &str, sick: Option<&str>) {
        let address = address(name);
        match sick {
            Some(reason) => self.sick.insert(address.clone(), reason.into()),
            None => self.sick.remove(&address),
        };
        self.unanswered.extend(
            self.watches_at(&address)
                .filter_map(|(watch, what)| match what {
                    Watching::Health(_) => Some(watch),
                    Watching::Calls(_) | Watching::Load(_) => None,
                })
                .collect::<Vec<_>>(),
        );
    }

    pub(super) fn set_state(&mut self, id: SubchannelId, state: SubchannelState) {
        let Some(subchannel) = self.subchannels.get_mut(&id) else { return };
        subchannel.state = state;
        let health = subchannel.watches.iter().filter(|(_, what)| matches!(what, Watching::Health(_)));
        self.unanswered.extend(health.map(|(watch, _)| *watch));
    }

    /// Tells a health watch the truth.
    pub(super) fn answer(&mut self, watch: Watch) {
        let Some(subchannel) = self.subchannels.get_mut(&watch.of()) else { return };
        let Some(Watching::Health(told)) = subchannel.watches.get_mut(&watch) else { return };
        let health = match (&subchannel.state, self.sick.get(&subchannel.address)) {
            (SubchannelState::Ready, Some(reason)) => Health::NotServing(reason.clone()),
            (SubchannelState::Ready, None) => Health::Serving,
            _ => Health::Pending,
        };
        if told.as_ref() != Some(&health) {
            *told = Some(health.clone());
            self.batch([Input::Event(Event::Health(watch, health))]);
        }
    }

    /// Every subchannel to this address that is in the state `from` goes to the state `to`.
    fn change(&mut self, name: &str, from: &SubchannelState, to: &SubchannelState) {
        let at = address(name);
        let concerned = self.subchannels.iter().filter(|(_, s)| s.address == at && s.state == *from);
        let concerned: Vec<_> = concerned.map(|(id, _)| (*id, to.clone())).collect();
        self.demand(!concerned.is_empty(), || format!("no subchannel to {name} is {}", from.connectivity()));
        self.change_states(concerned);
        self.settle();
    }

    fn load_watches(&self, name: &str) -> Vec<(Watch, Duration)> {
        let address = address(name);
        let watches = self.watches_at(&address);
        watches
            .filter_map(|(watch, what)| if let Watching::Load(every) = what { Some((watch, *every)) } else { None })
            .collect()
    }

    fn watches_at<'a>(&'a self, address: &'a Address) -> impl Iterator<Item = (Watch, &'a Watching)> {
        let subchannels = self.subchannels.values().filter(move |subchannel| subchannel.address == *address);
        subchannels.flat_map(|subchannel| subchannel.watches.iter().map(|(watch, what)| (*watch, what)))
    }
}
