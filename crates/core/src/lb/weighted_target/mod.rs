//! `weighted_target` (A28): children by name, and calls that go to each READY one as often as its weight says.

mod config;
mod picker;

mod lottery;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, mem, sync::Arc};

pub use self::config::{Config, Factory, Target};
use self::{lottery::Lottery, picker::Weighted};
use super::{
    LbPolicy,
    all_failed::AllFailed,
    child::{ChildSet, Key, Report},
    cx::Cx,
    dense::Dense,
    event::{AnyConfig, Event, Rejected, Resolution},
    failure::Failure,
    graceful_switch::GracefulSwitch,
    hierarchy,
    picker::{Fixed, Pick, Picker},
};
use crate::{
    connectivity::Connectivity,
    status::{Code, Status},
};

/// What is known of one child.
#[derive(Debug)]
struct Seat {
    weight: u32,
    /// Where it is in the lottery.
    place: usize,
    /// Its state as it counts for ours.
    counted: Connectivity,
    /// The latest one it gave.
    picker: Arc<dyn Picker>,
}

/// The policy. Its configuration is a [`Config`].
///
/// Each child gets the endpoints whose [path](hierarchy::Path) begins with its name. A child keeps its connections when
/// its weight or its configuration changes, and is replaced without a gap when its policy does; one that the
/// configuration no longer has goes at once (A28 would keep it for 15 minutes; grpc-go does not). READY if any child
/// is, else CONNECTING if any is, else IDLE if any is, else TRANSIENT_FAILURE; a child that has failed counts as failed
/// while it connects again. An IDLE child is asked to connect. An event costs O(log n).
#[derive(Debug, Default)]
pub struct WeightedTarget {
    children: ChildSet,
    names: BTreeMap<Arc<str>, Key>,
    seats: BTreeMap<Key, Seat>,
    counts: BTreeMap<Connectivity, usize>,
    ready: Lottery<Arc<dyn Picker>>,
    failed: Dense<Key, Arc<dyn Picker>>,
    config: Option<Arc<dyn AnyConfig>>,
    /// Why there are no children, while there are none.
    nobody: Option<Status>,
    /// The last report.
    state: Option<Connectivity>,
}

impl WeightedTarget {
    fn aggregate(&self) -> Connectivity {
        let order = [Connectivity::Ready, Connectivity::Connecting, Connectivity::Idle];
        let any = |state: &Connectivity| self.counts.get(state).is_some_and(|count| *count > 0);
        order.into_iter().find(any).unwrap_or(Connectivity::TransientFailure)
    }

    fn report(&mut self, cx: &mut Cx<'_>) {
        let state = self.aggregate();
        self.state = Some(state);
        cx.report(state);
    }

    fn fail(&mut self, cx: &mut Cx<'_>, status: Status) {
        self.nobody = Some(status);
        self.report(cx);
    }

    /// The child of this name, old or new, with this weight.
    fn seat(&mut self, name: &Arc<str>, weight: u32) -> Key {
        let key = *self.names.entry(Arc::clone(name)).or_insert_with(|| {
            *self.counts.entry(Connectivity::Connecting).or_default() += 1;
            self.children.insert(Box::new(GracefulSwitch::default()))
        });
        let counted = Connectivity::Connecting;
        let new = || Seat { weight, place: 0, counted, picker: Arc::new(Fixed::new(Pick::Queue)) };
        self.seats.entry(key).or_insert_with(new).weight = weight;
        key
    }

    /// Removes the children that `config` does not have.
    fn sort_out(&mut self, cx: &mut Cx<'_>, config: &Config) {
        let (kept, gone) =
            mem::take(&mut self.names).into_iter().partition(|(name, _)| config.targets.contains_key(name));
        self.names = kept;
        for key in BTreeMap::into_values(gone) {
            self.children.remove(cx, key);
            if let Some(seat) = self.seats.remove(&key) {
                self.leave(seat.counted);
            }
        }
    }

    /// Calls a child and counts what it reports. Says whether it did.
    fn call(&mut self, cx: &mut Cx<'_>, key: Key, call: impl FnOnce(&mut dyn LbPolicy, &mut Cx<'_>)) -> bool {
        let report = self.children.call(cx, key, call);
        report.is_some_and(|report| self.hear(cx, report).is_some())
    }

    /// Calls every child, and reports if one of them did.
    fn call_all(&mut self, cx: &mut Cx<'_>, call: impl Fn(&mut dyn LbPolicy, &mut Cx<'_>)) {
        let mut heard = false;
        for key in self.children.keys().collect::<Vec<_>>() {
            heard |= self.call(cx, key, &call);
        }
        if heard {
            self.report(cx);
        }
    }

    /// Counts a child's new state, and has it connect if it is IDLE. Says how it counted before, and how it does now.
    fn hear(&mut self, cx: &mut Cx<'_>, report: Report) -> Option<[Connectivity; 2]> {
        let before = self.count(report)?;
        if report.to == Connectivity::Idle
            && let Some(next) = self.children.call(cx, report.child, |child, cx| child.exit_idle(cx))
        {
            self.count(next);
        }
        Some([before, self.seats.get(&report.child)?.counted])
    }

    /// A child that has failed goes on to count as failed while it connects. Says how it counted before.
    fn count(&mut self, report: Report) -> Option<Connectivity> {
        let seat = self.seats.get_mut(&report.child)?;
        if (seat.counted, report.to) == (Connectivity::TransientFailure, Connectivity::Connecting) {
            return Some(seat.counted);
        }
        let before = mem::replace(&mut seat.counted, report.to);
        self.leave(before);
        *self.counts.entry(report.to).or_default() += 1;
        Some(before)
    }

    fn leave(&mut self, state: Connectivity) {
        if let Some(count) = self.counts.get_mut(&state) {
            *count -= 1;
        }
    }

    /// Gives every child a place in the lottery, with its present weight.
    fn take_places(&mut self) {
        let mut leaves = vec![];
        for (place, seat) in self.seats.values_mut().enumerate() {
            seat.place = place;
            leaves.push((seat.weight, (seat.counted == Connectivity::Ready).then(|| Arc::clone(&seat.picker))));
        }
        self.ready = Lottery::new(&leaves);
    }

    /// Renews what the pickers show of one child.
    fn refresh(&mut self, cx: &mut Cx<'_>, key: Key) {
        self.failed.remove(key);
        let Some(seat) = self.seats.get_mut(&key) else { return };
        if let Some(picker) = self.children.picker(cx, key) {
            seat.picker = picker;
        }
        let shown = Arc::clone(&seat.picker);
        let ready = (seat.counted == Connectivity::Ready).then(|| Arc::clone(&shown));
        self.ready.set(seat.place, ready);
        if seat.counted == Connectivity::TransientFailure {
            self.failed.insert(key, shown);
        }
    }

    /// The IDLE children, which wait for calls in a way of their own.
    fn idle(&self) -> Lottery<Arc<dyn Picker>> {
        let idle = self.seats.values().filter(|seat| seat.counted == Connectivity::Idle);
        Lottery::new(&idle.map(|seat| (seat.weight, Some(Arc::clone(&seat.picker)))).collect::<Vec<_>>())
    }
}

impl LbPolicy for WeightedTarget {
    /// Of no use is what every child rejects.
    fn on_resolution(&mut self, cx: &mut Cx<'_>, update: &Resolution) -> Result<(), Rejected> {
        if update.config_as::<Config>().is_some() {
            self.config.clone_from(&update.config);
        }
        let config = self.config.clone();
        let Some(config) = config.as_deref().and_then(|config| config.downcast_ref::<Config>()) else {
            self.fail(cx, Status::new(Code::Internal, "weighted_target has no configuration"));
            return Err(Rejected);
        };
        self.sort_out(cx, config);
        let mut endpoints = hierarchy::split(&update.endpoints);
        let mut rejected = 0;
        for (name, target) in &config.targets {
            let key = self.seat(name, target.weight);
            let endpoints = endpoints.remove(name).unwrap_or_default();
            let update = Resolution { endpoints, config: Some(Arc::new(target.policy.clone())) };
            self.call(cx, key, |child, cx| rejected += usize::from(child.on_resolution(cx, &update).is_err()));
        }
        self.take_places();
        self.nobody = self.seats.is_empty().then(|| Status::unavailable("weighted_target has no targets"));
        self.report(cx);
        if rejected > 0 && rejected == config.targets.len() { Err(Rejected) } else { Ok(()) }
    }

    fn on_resolver_error(&mut self, cx: &mut Cx<'_>, error: &Status) {
        if self.seats.is_empty() {
            return self.fail(cx, error.clone());
        }
        self.call_all(cx, |child, cx| child.on_resolver_error(cx, error));
    }

    fn on_event(&mut self, cx: &mut Cx<'_>, event: &Event) {
        let Some(report) = self.children.route(cx, event) else { return };
        let Some(counted) = self.hear(cx, report) else { return };
        let state = self.aggregate();
        let shown = match state {
            Connectivity::Ready | Connectivity::Idle => counted.contains(&state),
            Connectivity::TransientFailure => true,
            Connectivity::Connecting | Connectivity::Shutdown => false,
        };
        if shown || self.state != Some(state) {
            self.report(cx);
        }
    }

    fn exit_idle(&mut self, cx: &mut Cx<'_>) {
        self.call_all(cx, |child, cx| child.exit_idle(cx));
    }

    fn picker(&mut self, cx: &mut Cx<'_>) -> Arc<dyn Picker> {
        for key in self.children.take_stale() {
            self.refresh(cx, key);
        }
        match (self.state, &self.nobody) {
            (_, Some(status)) => Arc::new(Fixed::new(Pick::Fail(Failure::Status(status.clone())))),
            (Some(Connectivity::Ready), _) => Arc::new(Weighted(self.ready.clone())),
            (Some(Connectivity::Idle), _) => Arc::new(Weighted(self.idle())),
            (Some(Connectivity::TransientFailure), _) => Arc::new(AllFailed(self.failed.snapshot())),
            _ => Arc::new(Fixed::new(Pick::Queue)),
        }
    }

    fn shutdown(&mut self, cx: &mut Cx<'_>) {
        self.children.clear(cx);
    }
}
