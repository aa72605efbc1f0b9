//! Carries out what a policy commands.

use thalweg_core::{
    lb::{Command, Event, Health, SubchannelId, SubchannelState, Watch},
    subchannel::Subchannel as Machine,
};

use super::{driver::Driver, subchannels::Subchannel, timers::Due};
use crate::{control::ControlEvent, rt, subchannel::ConnectionKey};

impl Driver {
    pub(super) fn execute(&mut self, command: Command) {
        match command {
            Command::Create { id, address, .. } => {
                self.subchannels.insert(id, Subchannel::new(address, Machine::new(self.plan.backoff)));
            }
            Command::Connect(id) => self.connect(id),
            Command::Shutdown(id) => {
                self.timers.cancel(Due::Backoff(id));
                if self.subchannels.remove(id).is_some_and(|gone| gone.connection.is_some()) {
                    self.show(id);
                }
            }
            Command::Arm { timer, at } => self.timers.set(Due::Policy(timer), at),
            Command::Cancel(timer) => self.timers.cancel(Due::Policy(timer)),
            // The policy tree drops wakes that it no longer knows.
            Command::Offer(_) | Command::Withdraw(_) => {}
            Command::Observe { watch, tracker } => {
                if let Some(subchannel) = self.subchannels.get_mut(watch.of()) {
                    subchannel.trackers.push((watch, tracker));
                    self.show(watch.of());
                }
            }
            // Health checks come with a service config that asks for them (A17); without one a READY subchannel serves.
            Command::WatchHealth(watch) => self.inbox.push_back(Event::Health(watch, Health::Serving)),
            // Answered once out-of-band load reports exist; until then no server is asked.
            Command::WatchLoad { .. } => {}
            Command::Unwatch(watch) => self.unwatch(watch),
            Command::Resolve => self.plan.resolution.ask(),
        }
    }

    fn connect(&mut self, id: SubchannelId) {
        let Some(subchannel) = self.subchannels.get_mut(id) else { return };
        let Some(attempt) = subchannel.machine.connect(rt::now(), &mut self.random) else { return };
        subchannel.attempts += 1;
        let key = ConnectionKey { subchannel: id, attempt: subchannel.attempts };
        let (connecting, address) = (self.plan.connecting.clone(), subchannel.address.clone());
        let (mailbox, events) = (self.mailbox.clone(), self.mailbox.clone());
        subchannel.attempt = Some(rt::spawn(async move {
            let on_event = move |event| {
                if let Some(events) = events.upgrade() {
                    let _ = events.send(ControlEvent::Connection(key, event));
                }
            };
            let result = connecting.attempt(address, attempt.deadline, on_event).await;
            if let Some(mailbox) = mailbox.upgrade() {
                let _ = mailbox.send(ControlEvent::Attempted(key, result));
            }
        }));
        self.inbox.push_back(Event::Subchannel(id, SubchannelState::Connecting));
    }

    fn unwatch(&mut self, watch: Watch) {
        let Some(subchannel) = self.subchannels.get_mut(watch.of()) else { return };
        let before = subchannel.trackers.len();
        subchannel.trackers.retain(|(tracker, _)| *tracker != watch);
        if subchannel.trackers.len() != before {
            self.show(watch.of());
        }
    }
}
