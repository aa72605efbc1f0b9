//! Carries commands out, and objects to those that name what is not there.

use std::collections::BTreeMap;

use thalweg_core::lb::{Command, SubchannelId, SubchannelState, Timer, Token, Wake, Watch};

use super::{GRAVES, Sim, Subchannel, Watching};

impl Sim {
    pub(super) fn execute(&mut self, command: Command) {
        match command {
            Command::Create { id, address, endpoint } => {
                let listed = endpoint.addresses().contains(&address);
                self.demand(listed, || format!("{address} is not an address of its endpoint {endpoint:?}"));
                let new = Subchannel { address, endpoint, state: SubchannelState::Idle, watches: BTreeMap::new() };
                let old = self.subchannels.insert(id, new);
                self.demand(old.is_none(), || format!("two live subchannels share the id {id:?}"));
            }
            Command::Connect(id) => self.connect(id),
            // Nobody waits here: every subchannel has room.
            Command::Divert(_) => {}
            Command::Shutdown(id) => self.shut_down(id),
            Command::Arm { timer, at } => {
                self.timers.insert(timer, at);
            }
            Command::Cancel(timer) => self.bury_timer(timer),
            Command::Offer(wake) => {
                self.wakes.insert(wake);
            }
            Command::Withdraw(wake) => self.bury_wake(wake),
            Command::Observe { watch, tracker } => self.watch(watch, Watching::Calls(tracker)),
            Command::WatchHealth(watch) => {
                self.watch(watch, Watching::Health(None));
                self.unanswered.push_back(watch);
            }
            Command::WatchLoad { watch, every } => self.watch(watch, Watching::Load(every)),
            Command::Unwatch(watch) => self.unwatch(watch),
            Command::Resolve => self.resolutions_wanted += 1,
        }
    }

    fn connect(&mut self, id: SubchannelId) {
        let state = self.subchannels.get(&id).map(|subchannel| &subchannel.state);
        let idle = state == Some(&SubchannelState::Idle);
        self.demand(idle, || format!("the policy connects {id:?}, which is not idle but {state:?}"));
        self.set_state(id, SubchannelState::Connecting);
    }

    fn shut_down(&mut self, id: SubchannelId) {
        let subchannel = self.subchannels.remove(&id);
        self.demand(subchannel.is_some(), || format!("the policy shuts down {id:?}, which is gone"));
        for watch in subchannel.into_iter().flat_map(|subchannel| subchannel.watches.into_keys()) {
            self.bury(Token::Watch(watch));
        }
        self.bury(Token::Subchannel(id));
    }

    fn watch(&mut self, watch: Watch, what: Watching) {
        let alive = self.subchannels.get_mut(&watch.of()).map(|subchannel| subchannel.watches.insert(watch, what));
        self.demand(alive.is_some(), || format!("the policy watches {:?}, which is gone", watch.of()));
    }

    fn unwatch(&mut self, watch: Watch) {
        let ended = self.subchannels.get_mut(&watch.of()).and_then(|subchannel| subchannel.watches.remove(&watch));
        self.demand(ended.is_some(), || format!("the policy ends {watch:?}, which has ended"));
        self.bury(Token::Watch(watch));
    }

    /// A timer fires or is cancelled.
    pub(super) fn bury_timer(&mut self, timer: Timer) {
        let armed = self.timers.remove(&timer).is_some();
        self.demand(armed, || format!("the policy cancels {timer:?}, which is not armed"));
        self.bury(Token::Timer(timer));
    }

    fn bury_wake(&mut self, wake: Wake) {
        let offered = self.wakes.remove(&wake);
        self.demand(offered, || format!("the policy withdraws {wake:?}, which is not offered"));
        self.bury(Token::Wake(wake));
    }

    fn bury(&mut self, token: Token) {
        if self.graves.len() == GRAVES {
            self.graves.pop_front();
        }
        self.graves.push_back(token);
    }
}
