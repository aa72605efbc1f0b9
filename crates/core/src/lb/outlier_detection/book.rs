//! What is known of endpoints, subchannels and health watches.

use std::{collections::BTreeMap, mem, sync::Arc, time::Instant};

use super::calls::{Calls, Counter};
use crate::{
    endpoint::{Address, Endpoint, EndpointKey},
    lb::{
        child::{Key, Tap},
        cx::{Command, Cx},
        event::{Event, Health},
        token::{SubchannelId, Watch},
    },
};

/// An endpoint gets no calls.
#[derive(Clone, Debug)]
struct Ejection {
    since: Instant,
    /// Begins with "ejected by outlier detection".
    reason: Arc<str>,
}

/// An endpoint that the resolver listed.
#[derive(Debug, Default)]
struct Record {
    calls: Arc<Counter>,
    ejection: Option<Ejection>,
    /// How often it was ejected, less one for every interval that it got through.
    times_ejected: u32,
}

/// What a health watch would have heard, and what it has heard from us.
#[derive(Debug, Default)]
struct Heard {
    truth: Option<Health>,
    told: Option<Health>,
}

/// A subchannel of a descendant.
#[derive(Debug)]
struct Listed {
    address: Address,
    made_for: EndpointKey,
    /// Whose calls its calls are.
    endpoint: Option<EndpointKey>,
    /// Our subscription to its calls.
    observing: Option<Watch>,
    /// The watches that descendants hold.
    health: BTreeMap<Watch, Heard>,
}

/// Everything that is known; it learns of subchannels and watches by looking on.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// Does anybody want to know how calls end?
    counting: bool,
    endpoints: BTreeMap<EndpointKey, Record>,
    by_address: BTreeMap<Address, EndpointKey>,
    subchannels: BTreeMap<SubchannelId, Listed>,
}

impl Book {
    /// Takes a new list of endpoints; what is known of those that stay is kept. Counts calls from now on, or not.
    pub(super) fn update(&mut self, cx: &mut Cx<'_>, endpoints: &[Endpoint], counting: bool) {
        let mut old = mem::take(&mut self.endpoints);
        self.by_address.clear();
        for endpoint in endpoints.iter().filter(|endpoint| !endpoint.addresses().is_empty()) {
            let key = endpoint.key();
            for address in endpoint.addresses().iter() {
                self.by_address.entry(address.clone()).or_insert_with(|| key.clone());
            }
            let known = old.remove(&key);
            self.endpoints.entry(key).or_insert_with(|| known.unwrap_or_default());
        }
        self.counting = counting;
        for id in self.subchannels.keys().copied().collect::<Vec<_>>() {
            self.settle(cx, id);
        }
    }

    /// How the calls of every endpoint ended since the last time; in the order of [`keys`](Self::keys).
    pub(super) fn take_calls(&self) -> Vec<Calls> {
        self.endpoints.values().map(|record| record.calls.take()).collect()
    }

    /// All endpoints.
    pub(super) fn keys(&self) -> Vec<EndpointKey> {
        self.endpoints.keys().cloned().collect()
    }

    /// How many endpoints are ejected.
    pub(super) fn ejected(&self) -> usize {
        self.endpoints.values().filter(|record| record.ejection.is_some()).count()
    }

    /// Ejects an endpoint that is not ejected yet; says whether it did.
    pub(super) fn eject(&mut self, key: &EndpointKey, now: Instant, story: &str) -> bool {
        let Some(record) = self.endpoints.get_mut(key).filter(|record| record.ejection.is_none()) else { return false };
        let reason = format!("ejected by outlier detection ({story})").into();
        record.ejection = Some(Ejection { since: now, reason });
        record.times_ejected = record.times_ejected.saturating_add(1);
        true
    }

    /// Ends the ejections that `is_over` says are (by their beginning and how often there was one), and forgives each
    /// endpoint that is not ejected one time that it was.
    pub(super) fn age(&mut self, is_over: impl Fn(Instant, u32) -> bool) {
        for record in self.endpoints.values_mut() {
            match &record.ejection {
                None => record.times_ejected = record.times_ejected.saturating_sub(1),
                Some(ejection) if is_over(ejection.since, record.times_ejected) => record.ejection = None,
                Some(_) => {}
            }
        }
    }

    /// Ends all ejections and forgets that they were.
    pub(super) fn pardon(&mut self) {
        for record in self.endpoints.values_mut() {
            (record.ejection, record.times_ejected) = (None, 0);
        }
    }

    /// A watched subchannel reports its health; says what to tell the watch, if that is anything new.
    pub(super) fn hear(&mut self, watch: Watch, health: &Health) -> Option<Event> {
        let listed = self.subchannels.get_mut(&watch.of())?;
        let heard = listed.health.get_mut(&watch)?;
        heard.truth = Some(health.clone());
        heard.news(watch, ejection(&self.endpoints, listed.endpoint.as_ref()))
    }

    /// What watches must be told since ejections began or ended.
    pub(super) fn news(&mut self) -> Vec<Event> {
        let mut news = vec![];
        for listed in self.subchannels.values_mut() {
            let ejection = ejection(&self.endpoints, listed.endpoint.as_ref());
            news.extend(listed.health.iter_mut().filter_map(|(watch, heard)| heard.news(*watch, ejection)));
        }
        news
    }

    /// The endpoint that a subchannel was made for, or else the first one that has its address.
    fn home(&self, listed: &Listed) -> Option<EndpointKey> {
        let (made_for, address) = (&listed.made_for, &listed.address);
        if self.endpoints.contains_key(made_for) { Some(made_for) } else { self.by_address.get(address) }.cloned()
    }

    /// From now on the calls of a subchannel are those of its endpoint, whichever that is now.
    fn settle(&mut self, cx: &mut Cx<'_>, id: SubchannelId) {
        let Some(home) = self.subchannels.get(&id).map(|listed| self.home(listed)) else { return };
        let Some(listed) = self.subchannels.get_mut(&id) else { return };
        let counter = home.as_ref().filter(|_| self.counting).and_then(|key| self.endpoints.get(key));
        if listed.endpoint == home && listed.observing.is_some() == counter.is_some() {
            return;
        }
        if let Some(watch) = listed.observing.take() {
            cx.unwatch(watch);
        }
        listed.observing = counter.map(|record| cx.observe(id, Arc::<Counter>::clone(&record.calls)));
        listed.endpoint = home;
    }
}

/// The ejection of an endpoint, if it is ejected.
fn ejection<'a>(endpoints: &'a BTreeMap<EndpointKey, Record>, key: Option<&EndpointKey>) -> Option<&'a Ejection> {
    endpoints.get(key?)?.ejection.as_ref()
}

impl Heard {
    /// What to tell the watch, if that is not what it was told last. Nothing, until it is known how things are.
    fn news(&mut self, watch: Watch, ejection: Option<&Ejection>) -> Option<Event> {
        let health = combined(self.truth.as_ref()?, ejection);
        if self.told.as_ref() == Some(&health) {
            return None;
        }
        self.told = Some(health.clone());
        Some(Event::Health(watch, health))
    }
}

impl Tap for Book {
    fn see(&mut self, cx: &mut Cx<'_>, _: Key, command: &Command) {
        match command {
            Command::Create { id, address, endpoint } => {
                let (address, made_for, health) = (address.clone(), endpoint.key(), BTreeMap::new());
                let listed = Listed { address, made_for, endpoint: None, observing: None, health };
                self.subchannels.insert(*id, listed);
                self.settle(cx, *id);
            }
            // Our subscription to its calls ends with it.
            Command::Shutdown(id) => drop(self.subchannels.remove(id)),
            Command::WatchHealth(watch) => {
                if let Some(listed) = self.subchannels.get_mut(&watch.of()) {
                    listed.health.insert(*watch, Heard::default());
                }
            }
            Command::Unwatch(watch) => {
                if let Some(listed) = self.subchannels.get_mut(&watch.of()) {
                    listed.health.remove(watch);
                }
            }
            _ => {}
        }
    }
}

/// The health that a watch hears of.
fn combined(truth: &Health, ejection: Option<&Ejection>) -> Health {
    match (ejection, truth) {
        (None, truth) => truth.clone(),
        (Some(ejection), Health::NotServing(own)) => {
            Health::NotServing(format!("{}, and {own}", ejection.reason).into())
        }
        (Some(ejection), Health::Pending | Health::Serving) => Health::NotServing(Arc::clone(&ejection.reason)),
    }
}
