//! A channel that only pretends: every attempt to connect succeeds at once, and every subchannel is well.

use std::{collections::VecDeque, mem, sync::Arc, time::Instant};

use thalweg_core::{
    endpoint::Endpoint,
    lb::{
        AnyConfig, Command, Cx, Event, Fixed, Health, LbPolicy, Mint, Pick, Picker, Resolution, SubchannelState,
        Tracker, Watch,
    },
};

use super::calls::{Call, Observers};

/// How often calls are tried that a policy connects for only when it is asked to.
const TRIES: usize = 20;

/// The channel. What happens is told to the policy one thing at a time, and its picker is renewed after each.
#[derive(Debug)]
pub(super) struct Channel {
    policy: Box<dyn LbPolicy>,
    mint: Mint,
    now: Instant,
    picker: Arc<dyn Picker>,
    /// Who observes the calls of each subchannel, by slot.
    observers: Vec<Vec<(Watch, Tracker)>>,
    /// What has happened and the policy has not been told yet.
    events: VecDeque<Event>,
}

impl Channel {
    pub(super) fn new(policy: Box<dyn LbPolicy>) -> Self {
        Self {
            policy,
            mint: Mint::new(1),
            now: Instant::now(),
            picker: Arc::new(Fixed::new(Pick::Queue)),
            observers: vec![],
            events: VecDeque::new(),
        }
    }

    /// The resolver finds these.
    pub(super) fn resolve(&mut self, endpoints: Arc<[Endpoint]>, config: Option<Arc<dyn AnyConfig>>) {
        let update = Resolution { endpoints, config };
        self.batch(|policy, cx| {
            // A policy that rejects it leaves calls waiting, which is looked at.
            let _ = policy.on_resolution(cx, &update);
        });
    }

    /// Tells the policy what has happened, one thing after the other, and what happens because of that.
    pub(super) fn tell(&mut self) {
        while let Some(event) = self.events.pop_front() {
            self.batch(|policy, cx| policy.on_event(cx, &event));
        }
    }

    /// Goes on until each of these calls finds a subchannel, and says whether that came to be.
    pub(super) fn settle(&mut self, calls: &[Call]) -> bool {
        (0..TRIES).any(|_| {
            self.tell();
            let found = calls.iter().filter(|call| self.finds(call)).count();
            found == calls.len() && self.events.is_empty()
        })
    }

    /// Does the call find a subchannel? If it needs one that is not connected, that will be.
    fn finds(&mut self, call: &Call) -> bool {
        let (pick, wake) = call.ask(&*self.picker, self.now);
        self.events.extend(wake.map(Event::Wake));
        matches!(pick, Pick::Use(_))
    }

    pub(super) fn picker(&self) -> Arc<dyn Picker> {
        Arc::clone(&self.picker)
    }

    /// Who observes the calls of each subchannel.
    pub(super) fn observers(&self) -> Observers {
        let trackers = |of: &Vec<(Watch, Tracker)>| of.iter().map(|(_, tracker)| Arc::clone(tracker)).collect();
        self.observers.iter().map(trackers).collect()
    }

    fn batch(&mut self, call: impl FnOnce(&mut dyn LbPolicy, &mut Cx<'_>)) {
        let mut commands = vec![];
        let mut cx = Cx::new(self.now, &mut self.mint, &mut commands);
        call(&mut *self.policy, &mut cx);
        if cx.reported().is_some() {
            self.picker = self.policy.picker(&mut cx);
        }
        commands.into_iter().for_each(|command| self.execute(command));
    }

    fn execute(&mut self, command: Command) {
        match command {
            Command::Create { id, .. } => {
                let slots = self.observers.len().max(id.slot() + 1);
                self.observers.resize_with(slots, Vec::new);
            }
            Command::Connect(id) => self.events.push_back(Event::Subchannel(id, SubchannelState::Ready)),
            Command::Shutdown(id) => drop(mem::take(&mut self.observers[id.slot()])),
            Command::WatchHealth(watch) => self.events.push_back(Event::Health(watch, Health::Serving)),
            Command::Observe { watch, tracker } => self.observers[watch.of().slot()].push((watch, tracker)),
            Command::Unwatch(watch) => self.observers[watch.of().slot()].retain(|(other, _)| *other != watch),
            // No time passes, and nobody asks the resolver.
            _ => {}
        }
    }
}
