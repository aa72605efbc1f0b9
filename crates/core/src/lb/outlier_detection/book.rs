//! What is known of endpoints, subchannels and health watches.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    sync::Arc,
    time::Instant,
};

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
    /// Those whose calls are its calls.
    subchannels: BTreeSet<SubchannelId>,
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
    /// As the resolver listed them.
    list: Arc<[Endpoint]>,
    endpoints: BTreeMap<EndpointKey, Record>,
    /// The first endpoint with each address, once somebody wants to know.
    by_address: Option<BTreeMap<Address, EndpointKey>>,
    subchannels: BTreeMap<SubchannelId, Listed>,
    /// Those that do not belong to the endpoint that they were made for.
    strays: BTreeSet<SubchannelId>,
}

impl Book {
    /// Takes a new list of endpoints; what is known of those that stay is kept. Counts calls from now on, or not. Says
    /// which subchannels may belong to another endpoint now.
    pub(super) fn update(&mut self, cx: &mut Cx<'_>, list: &Arc<[Endpoint]>, counting: bool) -> BTreeSet<SubchannelId> {
        let listed = list.iter().filter(|endpoint| !endpoint.addresses().is_empty());
        let keys: BTreeSet<EndpointKey> = listed.map(Endpoint::key).collect();
        let mut concerned = mem::take(&mut self.strays);
        // Both are in order, so each is gone through once.
        let mut old = mem::take(&mut self.endpoints).into_iter().peekable();
        for key in keys {
            while let Some((_, gone)) = old.next_if(|(known, _)| *known < key) {
                concerned.extend(gone.subchannels);
            }
            let known = old.next_if(|(known, _)| *known == key);
            self.endpoints.insert(key, known.map(|(_, record)| record).unwrap_or_default());
        }
        concerned.extend(old.flat_map(|(_, gone)| gone.subchannels));
        (self.list, self.by_address) = (Arc::clone(list), None);
        if mem::replace(&mut self.counting, counting) != counting {
            concerned.extend(self.subchannels.keys());
        }
        for id in &concerned {
            self.settle(cx, *id);
        }
        concerned
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

    /// The subchannels of endpoints that are ejected.
    pub(super) fn ejected_subchannels(&self) -> BTreeSet<SubchannelId> {
        let ejected = self.endpoints.values().filter(|record| record.ejection.is_some());
        ejected.flat_map(|record| record.subchannels.iter().copied()).collect()
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

    /// What the watches on these subchannels must be told, if it is not what they heard last.
    pub(super) fn news(&mut self, of: &BTreeSet<SubchannelId>) -> Vec<Event> {
        let mut news = vec![];
        for id in of {
            let Some(listed) = self.subchannels.get_mut(id) else { continue };
            let ejection = ejection(&self.endpoints, listed.endpoint.as_ref());
            news.extend(listed.health.iter_mut().filter_map(|(watch, heard)| heard.news(*watch, ejection)));
        }
        news
    }

    /// From now on the calls of a subchannel are those of its endpoint, whichever that is now.
    fn settle(&mut self, cx: &mut Cx<'_>, id: SubchannelId) {
        let Some(mut listed) = self.subchannels.remove(&id) else { return };
        if let Some(record) = listed.endpoint.take().and_then(|key| self.endpoints.get_mut(&key)) {
            record.subchannels.remove(&id);
        }
        listed.observing.take().into_iter().for_each(|watch| cx.unwatch(watch));
        listed.endpoint = self.home(id, &listed);
        if let Some(record) = listed.endpoint.as_ref().and_then(|key| self.endpoints.get_mut(key)) {
            record.subchannels.insert(id);
            listed.observing = self.counting.then(|| cx.observe(id, Arc::<Counter>::clone(&record.calls)));
        }
        self.subchannels.insert(id, listed);
    }

    /// The endpoint that a subchannel was made for, or else the first one that has its address.
    fn home(&mut self, id: SubchannelId, listed: &Listed) -> Option<EndpointKey> {
        if self.endpoints.contains_key(&listed.made_for) {
            return Some(listed.made_for.clone());
        }
        self.strays.insert(id);
        let by_address = self.by_address.get_or_insert_with(|| first_with_each_address(&self.list));
        by_address.get(&listed.address).cloned()
    }
}

fn first_with_each_address(list: &[Endpoint]) -> BTreeMap<Address, EndpointKey> {
    let last_first = list.iter().rev().map(|endpoint| (endpoint.key(), endpoint));
    let pairs = |(key, endpoint): (EndpointKey, &Endpoint)| {
        endpoint.addresses().iter().map(|address| (address.clone(), key.clone())).collect::<Vec<_>>()
    };
    last_first.flat_map(pairs).collect()
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
            Command::Shutdown(id) => {
                self.strays.remove(id);
                let endpoint = self.subchannels.remove(id).and_then(|listed| listed.endpoint);
                if let Some(record) = endpoint.and_then(|key| self.endpoints.get_mut(&key)) {
                    record.subchannels.remove(id);
                }
            }
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
