//! `pick_first` (A62): one connection, to the first address that answers; the leaf of every other policy (A61).

mod config;
mod picker;
mod race;

mod addresses;

use std::sync::Arc;

pub use self::config::{Config, Factory};
use self::{
    picker::Chosen,
    race::{Race, Turn},
};
use super::{
    LbPolicy,
    cx::Cx,
    event::{Health, Rejected, Resolution, SubchannelState},
    failure::{BackendFailure, Failure},
    picker::{Fixed, Pick, Picker},
    token::{SubchannelId, Timer, Wake, Watch},
};
use crate::{connectivity::Connectivity, status::Status};

/// A `pick_first` for a parent that balances over endpoints: a child per endpoint, each given that one endpoint.
///
/// A leaf also watches the health of its connection (A17, A61) and is READY only while that is `Serving`; a
/// `pick_first` that a service config names never does, so that an application cannot ask for it. An idle leaf waits
/// for `exit_idle`, or for a pick that its picker answers.
#[must_use]
pub fn leaf() -> PickFirst {
    PickFirst { leaf: true, ..PickFirst::default() }
}

/// The connection that calls go to.
#[derive(Clone, Copy, Debug)]
struct Selected {
    id: SubchannelId,
    health: Option<Watch>,
}

/// The policy.
///
/// It is READY while it has a connection, IDLE once that ends (until a call or `exit_idle` asks for the next; CONNECTING at
/// once if the next was being made already, A105), and TRANSIENT_FAILURE from the moment when every address has failed until
/// one answers (A62).
#[derive(Debug)]
pub struct PickFirst {
    leaf: bool,
    shuffle: bool,
    race: Race,
    selected: Option<Selected>,
    /// Offered while IDLE.
    wake: Option<Wake>,
    /// The last report.
    state: Option<Connectivity>,
    /// Why we are in TRANSIENT_FAILURE, if we are.
    failure: Failure,
}

impl Default for PickFirst {
    fn default() -> Self {
        Self {
            leaf: false,
            shuffle: false,
            race: Race::default(),
            selected: None,
            wake: None,
            state: None,
            failure: Failure::of([]),
        }
    }
}

impl PickFirst {
    fn report(&mut self, cx: &mut Cx<'_>, state: Connectivity) {
        if self.state == Some(state) && state == Connectivity::Connecting {
            return;
        }
        self.withdraw(cx);
        if state == Connectivity::Idle {
            self.wake = Some(cx.offer());
        }
        self.state = Some(state);
        cx.report(state);
    }

    fn fail(&mut self, cx: &mut Cx<'_>, failure: Failure) {
        self.failure = failure;
        self.report(cx, Connectivity::TransientFailure);
    }

    /// Races for a connection. TRANSIENT_FAILURE sticks if it is connections that failed (A62).
    fn start(&mut self, cx: &mut Cx<'_>) {
        let connections_failed = matches!(self.failure, Failure::Backends { .. });
        if self.state != Some(Connectivity::TransientFailure) || !connections_failed {
            self.report(cx, Connectivity::Connecting);
        }
        let turn = self.race.start(cx);
        self.take_turn(cx, turn);
    }

    fn take_turn(&mut self, cx: &mut Cx<'_>, turn: Turn) {
        match turn {
            Turn::Nothing => {}
            Turn::Won(id) => self.select(cx, id),
            Turn::Lost(id) => self.go_idle(cx, id),
            Turn::Failed { resolve } => {
                let failure = self.race.failure();
                self.fail(cx, failure);
                if resolve {
                    cx.resolve();
                }
            }
        }
    }

    /// From here on the health of the connection is our state, if we watch it.
    fn select(&mut self, cx: &mut Cx<'_>, id: SubchannelId) {
        self.race.stop(cx, Some(id));
        let health = self.leaf.then(|| cx.watch_health(id));
        self.selected = Some(Selected { id, health });
        self.report(cx, if self.leaf { Connectivity::Connecting } else { Connectivity::Ready });
    }

    /// The connection `id` has ended. The resolver may know better places for the next one.
    fn go_idle(&mut self, cx: &mut Cx<'_>, id: SubchannelId) {
        self.deselect(cx);
        self.race.stop(cx, Some(id));
        self.report(cx, Connectivity::Idle);
        cx.resolve();
    }

    /// The selected subchannel has lost its last connection while it was making another, which goes on beside the race for a
    /// new place, or had failed to (A105).
    fn start_over(&mut self, cx: &mut Cx<'_>) {
        self.deselect(cx);
        self.start(cx);
        cx.resolve();
    }

    fn deselect(&mut self, cx: &mut Cx<'_>) {
        if let Some(watch) = self.selected.take().and_then(|selected| selected.health) {
            cx.unwatch(watch);
        }
    }

    fn withdraw(&mut self, cx: &mut Cx<'_>) {
        if let Some(wake) = self.wake.take() {
            cx.withdraw(wake);
        }
    }
}

impl LbPolicy for PickFirst {
    fn on_resolution(&mut self, cx: &mut Cx<'_>, update: &Resolution) -> Result<(), Rejected> {
        if let Some(config) = update.config_as::<Config>() {
            self.shuffle = config.shuffle_address_list;
        }
        let list = addresses::in_order(&update.endpoints, self.shuffle.then(|| cx.random()));
        let changed = self.race.relist(cx, list);
        // A connection whose address is still listed stays; that of any other went with its subchannel.
        self.selected = self.selected.filter(|selected| self.race.address(selected.id).is_some());
        if self.race.is_empty() {
            self.race.stop(cx, None);
            self.fail(cx, Failure::Status(Status::unavailable("the resolver returned no addresses")));
            return Err(Rejected);
        }
        if changed && self.selected.is_none() && self.state != Some(Connectivity::Idle) {
            self.start(cx);
        }
        Ok(())
    }

    fn on_resolver_error(&mut self, cx: &mut Cx<'_>, error: &Status) {
        if self.race.is_empty() {
            self.fail(cx, Failure::Status(error.clone()));
        }
    }

    fn on_subchannel(&mut self, cx: &mut Cx<'_>, id: SubchannelId, state: &SubchannelState) {
        let turn = self.race.on_subchannel(cx, id, state);
        if self.selected.is_some_and(|selected| selected.id == id) {
            match state {
                SubchannelState::Ready => {}
                SubchannelState::Idle => self.go_idle(cx, id),
                SubchannelState::Connecting | SubchannelState::TransientFailure { .. } => self.start_over(cx),
            }
            return;
        }
        self.take_turn(cx, turn);
    }

    fn on_health(&mut self, cx: &mut Cx<'_>, watch: Watch, health: &Health) {
        let Some(selected) = self.selected.filter(|selected| selected.health == Some(watch)) else { return };
        match health {
            Health::Pending => self.report(cx, Connectivity::Connecting),
            Health::Serving => self.report(cx, Connectivity::Ready),
            Health::NotServing(reason) => {
                let address = self.race.address(selected.id).cloned();
                let (reason, retry_at) = (reason.clone(), None);
                let failure = Failure::of(address.map(|address| BackendFailure { address, reason, retry_at }));
                cx.divert(selected.id);
                self.fail(cx, failure);
            }
        }
    }

    fn on_timer(&mut self, cx: &mut Cx<'_>, timer: Timer) {
        let turn = self.race.on_timer(cx, timer);
        self.take_turn(cx, turn);
    }

    fn on_wake(&mut self, cx: &mut Cx<'_>, _: Wake) {
        self.exit_idle(cx);
    }

    fn exit_idle(&mut self, cx: &mut Cx<'_>) {
        if self.state == Some(Connectivity::Idle) {
            self.start(cx);
        }
    }

    fn picker(&mut self, _: &mut Cx<'_>) -> Arc<dyn Picker> {
        match (self.state, self.selected) {
            (Some(Connectivity::Ready), Some(selected)) => Arc::new(Chosen(selected.id)),
            (Some(Connectivity::TransientFailure), _) => Arc::new(Fixed::new(Pick::Fail(self.failure.clone()))),
            _ => Arc::new(Fixed { pick: Pick::Queue, wake: self.wake }),
        }
    }

    fn shutdown(&mut self, cx: &mut Cx<'_>) {
        self.race.stop(cx, None);
        self.withdraw(cx);
    }
}

#[cfg(test)]
mod tests;
