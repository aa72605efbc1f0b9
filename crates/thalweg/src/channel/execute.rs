//! Carries out what a policy commands.

use std::{sync::Arc, time::Instant};

use thalweg_core::{
    endpoint::Address,
    lb::{Command, Event, SubchannelId, SubchannelState, Watch},
    subchannel::{Attempt, Subchannel as Machine},
};

use tokio::sync::mpsc;

use super::{driver::Driver, subchannels::Subchannel, timers::Due};
use crate::{
    control::ControlEvent,
    panics::Contained,
    rt,
    subchannel::{Connecting, ConnectionKey},
    transport::crowd::Crowd,
};

impl Driver {
    pub(super) fn execute(&mut self, command: Command) {
        match command {
            Command::Create { id, address, .. } => {
                self.subchannels.insert(id, Subchannel::new(address, Machine::new(self.plan.backoff)));
            }
            Command::Connect(id) => self.connect(id),
            Command::Divert(id) => self.divert(id),
            Command::Shutdown(id) => {
                self.timers.cancel(Due::Backoff(id));
                self.timers.cancel(Due::Surplus(id));
                if self.subchannels.remove(id).is_some_and(|gone| gone.pool.close()) {
                    self.show(id);
                }
            }
            Command::Arm { timer, at } => self.timers.set(Due::Policy(timer), at),
            Command::Cancel(timer) => self.timers.cancel(Due::Policy(timer)),
            // The policy tree drops wakes that it no longer knows.
            Command::Offer(_) | Command::Withdraw(_) => {}
            Command::Observe { watch, tracker } => {
                let tracker = Contained::new(tracker);
                if let Some(subchannel) = self.subchannels.get_mut(watch.of()) {
                    subchannel.trackers.push((watch, tracker));
                    self.show(watch.of());
                }
            }
            Command::WatchHealth(watch) => self.watch_health(watch),
            // Answered once out-of-band load reports exist; until then no server is asked.
            Command::WatchLoad { .. } => {}
            Command::Unwatch(watch) => {
                self.unwatch_calls(watch);
                self.unwatch_health(watch);
            }
            Command::Resolve => self.plan.resolution.ask(),
        }
    }

    fn connect(&mut self, id: SubchannelId) {
        let Some(subchannel) = self.subchannels.get_mut(id) else { return };
        let Some(attempt) = subchannel.machine.connect(rt::now(), &mut self.random) else { return };
        self.attempt(id, attempt);
        self.inbox.push_back(Event::Subchannel(id, SubchannelState::Connecting));
    }

    /// Makes an attempt that the machine has begun.
    pub(super) fn attempt(&mut self, id: SubchannelId, attempt: Attempt) {
        let Some(subchannel) = self.subchannels.get_mut(id) else { return };
        subchannel.attempts += 1;
        let key = ConnectionKey { subchannel: id, attempt: subchannel.attempts };
        let (connecting, address) = (self.plan.connecting.clone(), subchannel.address.clone());
        let crowd = subchannel.pool.crowd();
        let attempting = make_attempt(connecting, address, attempt.deadline, crowd, key, self.mailbox.clone());
        subchannel.attempt = Some(rt::spawn(attempting));
    }

    fn unwatch_calls(&mut self, watch: Watch) {
        let Some(subchannel) = self.subchannels.get_mut(watch.of()) else { return };
        let before = subchannel.trackers.len();
        subchannel.trackers.retain(|(tracker, _)| *tracker != watch);
        if subchannel.trackers.len() != before {
            self.show(watch.of());
        }
    }
}

/// Tells the driver, as long as there is one, and does not keep the channel alive.
pub(super) fn teller(mailbox: mpsc::WeakUnboundedSender<ControlEvent>) -> impl Fn(ControlEvent) + Clone {
    move |event| {
        if let Some(mailbox) = mailbox.upgrade() {
            let _ = mailbox.send(event);
        }
    }
}

/// Connects, and moves the connection. Tells the driver first how that went, then what becomes of the connection.
async fn make_attempt(
    connecting: Arc<Connecting>,
    address: Address,
    deadline: Instant,
    crowd: Arc<Crowd>,
    key: ConnectionKey,
    mailbox: mpsc::WeakUnboundedSender<ControlEvent>,
) {
    let tell = teller(mailbox);
    let on_event = {
        let tell = tell.clone();
        move |event| tell(ControlEvent::Connection(key, event))
    };
    match connecting.attempt(address, deadline, crowd, on_event).await {
        Ok((connection, drive)) => {
            tell(ControlEvent::Attempted(key, Ok(connection)));
            drive.await;
        }
        Err(error) => tell(ControlEvent::Attempted(key, Err(error))),
    }
}
