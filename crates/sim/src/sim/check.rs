//! What must hold after every batch.

use thalweg_core::{
    connectivity::Connectivity,
    lb::{Health, Pick, SubchannelId, SubchannelState},
};

use super::{Sim, Subchannel, Watching};

/// How many picks are looked at after each batch.
const PICKS: usize = 4;

impl Subchannel {
    /// READY, and told to be healthy if anybody has asked.
    fn is_usable(&self) -> bool {
        let healthy = |what: &Watching| match what {
            Watching::Health(told) => *told == Some(Health::Serving),
            Watching::Calls(_) | Watching::Load(_) => true,
        };
        self.state == SubchannelState::Ready && self.watches.values().all(healthy)
    }
}

impl Sim {
    /// The subchannels that could serve a call: READY, and healthy if anybody watches their health.
    pub fn usable(&self) -> impl Iterator<Item = SubchannelId> {
        self.subchannels.iter().filter(|(_, subchannel)| subchannel.is_usable()).map(|(id, _)| *id)
    }

    pub(super) fn check(&self) {
        for n in 0..PICKS {
            self.check_pick(n % 2 == 0);
        }
        if self.uses_what_is_ready {
            let unused = self.subchannels.values().find(|subchannel| subchannel.is_usable());
            let used = unused.is_none() || self.state == Connectivity::Ready;
            self.demand(used, || {
                format!("{} could serve calls, and the policy is {}", unused_name(unused), self.state)
            });
        }
        for (name, holds) in &self.invariants {
            self.demand(holds(self), || format!("it does not hold that {name}"));
        }
    }

    fn check_pick(&self, hashed: bool) {
        let mut args = self.args();
        args.hash = hashed.then(|| args.random());
        let pick = self.peek(&args);
        if let Some(wake) = args.wanted() {
            self.demand(self.wakes.contains(&wake), || format!("a picker hands out {wake:?}, which is not offered"));
        }
        match &pick {
            Pick::Use(id) => self.check_use(*id),
            Pick::Queue => {
                let waits = self.lazy || self.state != Connectivity::Ready;
                self.demand(waits, || "a pick queues although the policy is READY".into());
            }
            Pick::Fail(failure) => {
                let failed = self.state == Connectivity::TransientFailure;
                self.demand(failed, || format!("a pick fails with {failure:?} although the policy is {}", self.state));
            }
            Pick::Drop(_) => {}
        }
    }

    fn check_use(&self, id: SubchannelId) {
        let ready = self.state == Connectivity::Ready;
        self.demand(ready, || format!("a pick uses {id:?} although the policy is {}", self.state));
        let usable = self.subchannels.get(&id).is_some_and(Subchannel::is_usable);
        self.demand(usable, || format!("a pick uses {id:?}, which cannot serve it: {:?}", self.subchannels.get(&id)));
    }
}

fn unused_name(unused: Option<&Subchannel>) -> String {
    unused.map(|subchannel| subchannel.address.to_string()).unwrap_or_default()
}
