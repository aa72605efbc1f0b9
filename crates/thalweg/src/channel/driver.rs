//! The one task that owns a channel's resolver, policy tree and subchannels.
//!
//! Events come in through the mailbox, the policy answers with commands ([`super::execute`]), and after each batch of
//! events at most one snapshot goes out.

use std::{
    collections::VecDeque,
    ptr,
    sync::{Arc, Weak},
    time::Instant,
};

use rpds::VectorSync;
use thalweg_core::{
    backoff::{Backoff, BackoffConfig},
    connectivity::Connectivity,
    deadline,
    lb::{Command, Cx, Event, Fixed, LbPolicy, Mint, Pick, Picker, SubchannelId, graceful_switch::GracefulSwitch},
    random::Random,
    service_config::ServiceConfig,
    status::Status,
    subchannel::Subchannel as Machine,
};
use tokio::sync::mpsc;

use super::{
    resolution::Resolution,
    scaling::ConnectionScaling,
    subchannels::Subchannels,
    timers::{Due, Timers},
};
use crate::{
    config::ConfigSelector,
    control::{Control, ControlEvent},
    error::{ConnectError, WireError, WireErrorKind},
    panics::{Contained, caught},
    rt::{self, Alarm},
    snapshot::{ReadySubchannel, Snapshot},
    subchannel::{Connecting, ConnectionKey, pool::Member},
    transport::client::{Connection, ConnectionEvent},
};

/// How many events are handled before a snapshot goes out.
const BATCH: usize = 1024;

/// What a driver is given when it starts.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) connecting: Arc<Connecting>,
    pub(super) backoff: BackoffConfig,
    pub(super) scaling: ConnectionScaling,
    pub(super) resolution: Resolution,
    /// In force while the name has no configuration of its own.
    pub(super) default_config: Contained<Arc<ServiceConfig>>,
    pub(super) use_resolved_config: bool,
    /// The application lets service configs ask for them.
    pub(super) health_checks: bool,
}

/// The control half of a channel.
pub(super) struct Driver {
    pub(super) control: Weak<Control>,
    events: mpsc::UnboundedReceiver<ControlEvent>,
    pub(super) mailbox: mpsc::WeakUnboundedSender<ControlEvent>,
    pub(super) plan: Plan,
    /// `None` while the channel sleeps.
    pub(super) root: Option<Contained<GracefulSwitch>>,
    pub(super) mint: Mint,
    /// For jitter.
    pub(super) random: Random,
    pub(super) subchannels: Subchannels,
    pub(super) timers: Timers,
    pub(super) resolver_backoff: Backoff,
    pub(super) config: Option<Contained<Arc<ServiceConfig>>>,
    /// How many connections a subchannel may have.
    pub(super) most: u32,
    /// Whose health the backends are asked for.
    pub(super) health_service: Option<Arc<str>>,
    /// What commands answered at once, still to be delivered.
    pub(super) inbox: VecDeque<Event>,
    /// Why there is no policy, if the last one panicked.
    pub(super) downfall: Option<Status>,
    next: Draft,
}

/// The next snapshot, in the making.
struct Draft {
    state: Connectivity,
    selector: Option<Contained<Arc<dyn ConfigSelector>>>,
    picker: Contained<Arc<dyn Picker>>,
    ready: VectorSync<Option<ReadySubchannel>>,
    /// The policy has reported: its picker is stale.
    reported: bool,
    /// Something else has changed.
    changed: bool,
    /// Where calls must not wait any longer once it is published.
    diverted: Vec<SubchannelId>,
}

impl Draft {
    fn new() -> Self {
        let Snapshot { state, selector, picker, ready, .. } = Snapshot::asleep();
        Self { state, selector, picker, ready, reported: false, changed: false, diverted: vec![] }
    }
}

impl Driver {
    pub(super) fn new(control: &Arc<Control>, events: mpsc::UnboundedReceiver<ControlEvent>, plan: Plan) -> Self {
        Self {
            control: Arc::downgrade(control),
            events,
            mailbox: control.weak_mailbox(),
            resolver_backoff: Backoff::new(plan.backoff),
            plan,
            root: None,
            mint: Mint::new(fastrand::u64(..)),
            random: Random::new(fastrand::u64(..)),
            subchannels: Subchannels::default(),
            timers: Timers::default(),
            config: None,
            most: 1,
            health_service: None,
            inbox: VecDeque::new(),
            downfall: None,
            next: Draft::new(),
        }
    }

    /// Runs until the last handle of the channel and the last call on it are gone.
    pub(super) async fn run(mut self) {
        let mut alarm = Alarm::default();
        loop {
            tokio::select! {
                event = self.events.recv() => match event {
                    Some(event) => self.on(event),
                    None => break,
                },
                () = alarm.ring() => {}
            }
            for _ in 1..BATCH {
                let Ok(event) = self.events.try_recv() else { break };
                self.on(event);
            }
            self.fire(rt::now());
            self.publish();
            while !self.inbox.is_empty() {
                self.settle();
                self.publish();
            }
            alarm.set(self.timers.next());
        }
        self.fall_asleep();
    }

    fn on(&mut self, event: ControlEvent) {
        match event {
            ControlEvent::WakeUp => self.wake_up(),
            ControlEvent::Connect => {
                self.wake_up();
                self.policy(|root, cx| root.exit_idle(cx));
            }
            ControlEvent::Wake(wake) => self.deliver(&Event::Wake(wake)),
            ControlEvent::Unusable(key) => self.on_connection_lost(key),
            ControlEvent::Crowded(id) => self.grow(id),
            ControlEvent::PickerPanicked(picker, panic) => self.on_picker_panicked(&picker, &panic),
            // A result may come late, when the channel sleeps.
            ControlEvent::Resolved(_) if self.root.is_none() => {}
            ControlEvent::Resolved(mut result) => self.on_resolved(&mut result),
            ControlEvent::Attempted(key, result) => self.on_attempted(key, result),
            ControlEvent::HealthNews(id) => self.on_health_news(id),
            ControlEvent::Connection(key, event) => {
                let error = match event {
                    ConnectionEvent::Draining(error) => {
                        self.heed_calm(&error);
                        error
                    }
                    ConnectionEvent::Closed(error) => error,
                };
                tracing::debug!(?key, %error, "connection lost");
                self.on_connection_lost(key);
            }
        }
        self.settle();
    }

    /// Delivers what commands were answered with.
    fn settle(&mut self) {
        while let Some(event) = self.inbox.pop_front() {
            self.deliver(&event);
        }
    }

    fn fire(&mut self, now: Instant) {
        while let Some(due) = self.timers.take_due(now) {
            match due {
                Due::Policy(timer) => self.deliver(&Event::Timer(timer)),
                Due::Backoff(id) => {
                    self.change(id, Machine::backoff_over);
                    self.grow(id);
                }
                Due::Surplus(id) => self.close_surplus(id, now),
                Due::Resolver => self.plan.resolution.ask(),
                Due::Idleness => self.check_idleness(now),
            }
            self.settle();
        }
    }

    /// Runs one callback of the policy tree and carries out what it commands. `None` if there is no tree, or no longer
    /// the one that was called: a tree that panics is given up.
    pub(super) fn policy<T>(&mut self, callback: impl FnOnce(&mut GracefulSwitch, &mut Cx<'_>) -> T) -> Option<T> {
        let root = self.root.as_mut()?;
        let mut commands: Vec<Command> = vec![];
        let mut cx = Cx::new(rt::now(), &mut self.mint, &mut commands);
        let result = caught(|| callback(root, &mut cx));
        let reported = cx.reported();
        let result = match result {
            Ok(result) => result,
            Err(panic) => {
                self.on_policy_panicked(&commands, &panic);
                // Trackers are in them.
                drop(Contained::new(commands));
                return None;
            }
        };
        if let Some(state) = reported {
            self.next.state = state;
            self.next.reported = true;
        }
        for command in commands {
            self.execute(command);
        }
        Some(result)
    }

    fn deliver(&mut self, event: &Event) {
        self.policy(|root, cx| root.on_event(cx, event));
    }

    fn on_attempted(&mut self, key: ConnectionKey, result: Result<Connection, ConnectError>) {
        let id = key.subchannel;
        let Some(subchannel) = self.subchannels.of_attempt(key) else { return };
        // It goes on to move the connection.
        if let Some(attempt) = subchannel.attempt.take() {
            attempt.detach();
        }
        match result {
            Ok(connection) => {
                subchannel.pool.add(Member { attempt: key.attempt, connection });
                self.show(id);
                self.change(id, Machine::connected);
                self.grow(id);
                self.refresh_health(id);
                self.watch_surplus(id);
            }
            Err(error) => {
                tracing::debug!(address = %subchannel.address, %error, "attempt to connect failed");
                let reason: Arc<str> = error.to_string().into();
                subchannel.pool.note_failure(reason.clone());
                if let Some(retry_at) = self.change(id, |machine| machine.failed(rt::now(), reason)) {
                    self.timers.set(Due::Backoff(id), retry_at);
                }
            }
        }
    }

    /// Tells a subchannel's machine what has happened, and the policy, if the state is another now.
    fn change<T>(&mut self, id: SubchannelId, happened: impl FnOnce(&mut Machine) -> T) -> Option<T> {
        let machine = &mut self.subchannels.get_mut(id)?.machine;
        let before = machine.state().connectivity();
        let result = happened(machine);
        let state = machine.state().clone();
        if state.connectivity() != before {
            self.deliver(&Event::Subchannel(id, state));
        }
        Some(result)
    }

    /// A server that complains of too many pings (ENHANCE_YOUR_CALM) is pinged half as often from then on (A8), and no
    /// longer to measure the network.
    fn heed_calm(&mut self, error: &WireError) {
        if !matches!(&error.kind, WireErrorKind::GoAway { code: 11, debug } if &**debug == "too_many_pings") {
            return;
        }
        let connecting = Arc::make_mut(&mut self.plan.connecting);
        connecting.http2.adaptive_window = None;
        if let Some(time) = connecting.keepalive.time {
            let calmer = time.saturating_mul(2);
            tracing::warn!(?time, ?calmer, "the server said too_many_pings: keepalive pings come less often now");
            connecting.keepalive.time = Some(calmer);
        }
    }

    /// No new calls on this connection; those in flight go on if they can.
    fn on_connection_lost(&mut self, key: ConnectionKey) {
        let id = key.subchannel;
        if self.subchannels.get_mut(id).is_some_and(|subchannel| subchannel.pool.remove(key.attempt)) {
            self.show(id);
            self.change(id, Machine::closed);
            self.grow(id);
            self.refresh_health(id);
        }
    }

    /// Brings the table of READY subchannels up to date for one of them.
    pub(super) fn show(&mut self, id: SubchannelId) {
        let ready = self.subchannels.ready(id);
        let table = &mut self.next.ready;
        while table.len() <= id.slot() {
            table.push_back_mut(None);
        }
        table.set_mut(id.slot(), ready);
        self.next.changed = true;
    }

    /// Calls are configured by `selector` from now on.
    pub(super) fn select(&mut self, selector: Arc<dyn ConfigSelector>) {
        self.next.selector = Some(Contained::new(selector));
        self.next.changed = true;
    }

    /// Is this the picker that calls will find?
    pub(super) fn has_picker(&self, picker: &Arc<dyn Picker>) -> bool {
        ptr::addr_eq(Arc::as_ptr(picker), Arc::as_ptr(&self.next.picker))
    }

    pub(super) fn has_selector(&self) -> bool {
        self.next.selector.is_some()
    }

    /// Publishes a snapshot, if there is anything new.
    fn publish(&mut self) {
        // A policy that panics over its picker reports once more, by the one that takes its place.
        while std::mem::take(&mut self.next.reported) {
            if let Some(picker) = self.policy(|root, cx| Contained::new(root.picker(cx))) {
                self.next.picker = picker;
                self.next.changed = true;
            }
        }
        if !std::mem::take(&mut self.next.changed) {
            return;
        }
        let Draft { state, selector, picker, ready, .. } = &self.next;
        self.put_up(Snapshot {
            state: *state,
            asleep: self.root.is_none(),
            selector: selector.clone(),
            picker: picker.clone(),
            ready: ready.clone(),
        });
        for id in std::mem::take(&mut self.next.diverted) {
            if let Some(subchannel) = self.subchannels.get_mut(id) {
                subchannel.pool.divert();
            }
        }
    }

    /// Calls that wait there go by the next snapshot.
    pub(super) fn divert(&mut self, id: SubchannelId) {
        self.next.diverted.push(id);
        self.next.changed = true;
    }

    fn put_up(&self, snapshot: Snapshot) {
        if let Some(control) = self.control.upgrade() {
            control.board.publish(snapshot);
        }
    }

    /// Starts to resolve and to balance, unless that is going on.
    fn wake_up(&mut self) {
        if self.root.is_some() {
            return;
        }
        self.root = Some(Contained::new(GracefulSwitch::default()));
        self.next.state = Connectivity::Connecting;
        self.next.changed = true;
        self.plan.resolution.start(&self.mailbox);
        if let Some(timeout) = self.idle_timeout() {
            self.timers.set(Due::Idleness, deadline::from_now(rt::now(), timeout));
        }
    }

    /// Gives everything back; calls in flight go on.
    fn fall_asleep(&mut self) {
        self.policy(|root, cx| root.shutdown(cx));
        self.root = None;
        self.plan.resolution.stop();
        self.timers.clear();
        self.inbox.clear();
        self.downfall = None;
        self.config = None;
        self.resolver_backoff.reset();
        self.next = Draft::new();
        self.next.changed = true;
    }

    fn idle_timeout(&self) -> Option<std::time::Duration> {
        self.control.upgrade().and_then(|control| control.facts.idle_timeout)
    }

    /// Sleeps if nobody has called for the idle timeout, else looks again when that may be so.
    fn check_idleness(&mut self, now: Instant) {
        let Some(control) = self.control.upgrade() else { return };
        let Some(timeout) = control.facts.idle_timeout else { return };
        let quiet_since = control.board.quiet_since();
        let again = deadline::from_now(quiet_since.unwrap_or(now), timeout);
        if quiet_since.is_some() && again <= now {
            tracing::debug!(target = %control.facts.target, "no calls: going idle");
            self.fall_asleep();
        } else {
            self.timers.set(Due::Idleness, again);
        }
    }
}

impl Drop for Driver {
    /// A channel that outlives its driver fails its calls instead of keeping them.
    fn drop(&mut self) {
        let end = if std::thread::panicking() {
            "the channel's driver panicked"
        } else {
            "the runtime that the channel ran on has shut down"
        };
        let end = Status::unavailable(end);
        self.put_up(Snapshot {
            state: Connectivity::Shutdown,
            asleep: false,
            selector: Some(Contained::new(Arc::new(ServiceConfig::default()))),
            picker: Contained::new(Arc::new(Fixed::new(Pick::Drop(end)))),
            ready: VectorSync::new_sync(),
        });
    }
}
