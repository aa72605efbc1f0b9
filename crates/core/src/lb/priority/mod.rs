//! `priority` (A56, A115): children in an order, and calls that go to the first one that is READY.

mod config;

mod member;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    sync::Arc,
};

pub use self::config::{Child, Config, Factory};
use self::member::{Expired, Member};
use super::{
    LbPolicy,
    child::{ChildSet, Key, Tap},
    cx::{Command, Cx},
    event::{Event, Rejected, Resolution},
    failure::Failure,
    graceful_switch::GracefulSwitch,
    hierarchy,
    picker::{Fixed, Pick, Picker},
    token::Timer,
};
use crate::{
    connectivity::Connectivity,
    endpoint::Endpoint,
    status::{Code, Status},
};

/// The children whose wish for another resolution counts for nothing.
#[derive(Debug, Default)]
struct Unheard(BTreeSet<Key>);

impl Tap for Unheard {
    fn see(&mut self, _: &mut Cx<'_>, _: Key, _: &Command) {}

    fn lets_resolve(&self, child: Key) -> bool {
        !self.0.contains(&child)
    }
}

/// The policy. Its configuration is a [`Config`].
///
/// Each child gets the endpoints whose [path](hierarchy::Path) begins with its name. A child is made when the ones
/// before it have failed, or have been connecting for 10 seconds. The first child that is READY or IDLE serves; those
/// behind it are *deactivated*: they stay for 15 minutes, and are used again if they are needed by then. While no child
/// can serve, the first one that is connecting speaks for the policy, or else the last one. A child that the
/// configuration no longer has goes at once (A115). Of no use is an update that the child in use rejects.
#[derive(Debug, Default)]
pub struct Priority {
    children: ChildSet<Unheard>,
    names: BTreeMap<Arc<str>, Key>,
    members: BTreeMap<Key, Member>,
    config: Option<Arc<Config>>,
    /// By child, those of children that are not made yet too.
    endpoints: BTreeMap<Arc<str>, Arc<[Endpoint]>>,
    /// Who speaks for the policy.
    current: Option<Key>,
    /// Why there is nobody, while there is nobody.
    nobody: Option<Status>,
}

impl Priority {
    /// Removes the children that `config` does not have.
    fn sort_out(&mut self, cx: &mut Cx<'_>, config: &Config) {
        let (kept, gone) =
            mem::take(&mut self.names).into_iter().partition(|(name, _)| config.children().contains_key(name));
        self.names = kept;
        for key in BTreeMap::into_values(gone) {
            self.dismiss(cx, key);
        }
    }

    fn dismiss(&mut self, cx: &mut Cx<'_>, key: Key) {
        self.children.remove(cx, key);
        self.children.tap_mut().0.remove(&key);
        if let Some(member) = self.members.remove(&key) {
            member.leave(cx);
        }
    }

    /// Gives a child its configuration and its endpoints.
    fn update(&mut self, cx: &mut Cx<'_>, key: Key, name: &str, child: &Child) {
        let unheard = &mut self.children.tap_mut().0;
        if child.ignores_reresolution {
            unheard.insert(key);
        } else {
            unheard.remove(&key);
        }
        let endpoints = self.endpoints.get(name).cloned().unwrap_or_default();
        let update = Resolution { endpoints, config: Some(Arc::new(child.policy.clone())) };
        let mut rejects = false;
        self.call(cx, key, |policy, cx| rejects = policy.on_resolution(cx, &update).is_err());
        if let Some(member) = self.members.get_mut(&key) {
            member.rejects = rejects;
        }
    }

    /// Calls a child, and lets its timers follow what it reports. Says whether it did.
    fn call(&mut self, cx: &mut Cx<'_>, key: Key, call: impl FnOnce(&mut dyn LbPolicy, &mut Cx<'_>)) -> bool {
        let Some(report) = self.children.call(cx, key, call) else { return false };
        self.members.get_mut(&key).into_iter().for_each(|member| member.hear(cx, report));
        true
    }

    /// The child of this name, made or used again.
    fn engage(&mut self, cx: &mut Cx<'_>, name: &Arc<str>, child: &Child) -> Key {
        if let Some(key) = self.names.get(name) {
            self.members.get_mut(key).into_iter().for_each(|member| member.reactivate(cx));
            return *key;
        }
        let key = self.children.insert(Box::new(GracefulSwitch::default()));
        self.names.insert(Arc::clone(name), key);
        self.members.insert(key, Member::new(cx));
        self.update(cx, key, name, child);
        key
    }

    /// Who is to speak for the policy: A56's "Algorithm for Choosing a Priority". It depends on nothing but the states
    /// of the children and their timers.
    fn choose(&mut self, cx: &mut Cx<'_>, config: &Config) -> Option<Key> {
        let mut tried = vec![];
        for (place, name) in config.priorities().iter().enumerate() {
            let key = self.engage(cx, name, config.children().get(name)?);
            if matches!(self.children.state(key), Some(Connectivity::Ready | Connectivity::Idle)) {
                self.deactivate(cx, &config.priorities()[place + 1..]);
                return Some(key);
            }
            if self.members.get(&key).is_some_and(Member::may_still_connect) {
                return Some(key);
            }
            tried.push(key);
        }
        let connecting = |key: &&Key| self.children.state(**key) == Some(Connectivity::Connecting);
        tried.iter().find(connecting).or_else(|| tried.last()).copied()
    }

    fn deactivate(&mut self, cx: &mut Cx<'_>, lower: &[Arc<str>]) {
        for key in lower.iter().filter_map(|name| self.names.get(name)) {
            self.members.get_mut(key).into_iter().for_each(|member| member.deactivate(cx));
        }
    }

    /// Chooses, and reports if somebody else speaks now or who speaks has news.
    fn settle(&mut self, cx: &mut Cx<'_>, news: bool) {
        let Some(config) = self.config.clone() else { return };
        let chosen = self.choose(cx, &config);
        let before = mem::replace(&mut self.current, chosen);
        if let Some(state) = chosen.and_then(|key| self.children.state(key))
            && (news || before != chosen)
        {
            cx.report(state);
        }
    }

    fn fail(&mut self, cx: &mut Cx<'_>, status: Status) {
        self.nobody = Some(status);
        self.current = None;
        cx.report(Connectivity::TransientFailure);
    }

    /// A timer that is none of the children's own.
    fn on_expiry(&mut self, cx: &mut Cx<'_>, timer: Timer) {
        let expired = self.members.iter_mut().find_map(|(key, member)| Some((*key, member.expire(timer)?)));
        match expired {
            Some((_, Expired::Failover)) => self.settle(cx, false),
            Some((key, Expired::Retention)) => {
                self.names.retain(|_, named| *named != key);
                self.dismiss(cx, key);
            }
            None => {}
        }
    }
}

impl LbPolicy for Priority {
    fn on_resolution(&mut self, cx: &mut Cx<'_>, update: &Resolution) -> Result<(), Rejected> {
        if let Some(config) = update.config_as::<Config>() {
            self.config = Some(Arc::new(config.clone()));
        }
        let Some(config) = self.config.clone() else {
            self.fail(cx, Status::new(Code::Internal, "priority has no configuration"));
            return Err(Rejected);
        };
        self.endpoints = hierarchy::split(&update.endpoints);
        self.sort_out(cx, &config);
        for (name, key) in self.names.clone() {
            if let Some(child) = config.children().get(&name) {
                self.update(cx, key, &name, child);
            }
        }
        if config.priorities().is_empty() {
            self.fail(cx, Status::unavailable("priority has no priorities"));
            return Ok(());
        }
        self.nobody = None;
        self.settle(cx, true);
        let rejects = self.current.and_then(|key| self.members.get(&key)).is_some_and(|member| member.rejects);
        if rejects { Err(Rejected) } else { Ok(()) }
    }

    fn on_resolver_error(&mut self, cx: &mut Cx<'_>, error: &Status) {
        if self.members.is_empty() {
            return self.fail(cx, error.clone());
        }
        let mut news = false;
        for key in self.children.keys().collect::<Vec<_>>() {
            news |= self.call(cx, key, |child, cx| child.on_resolver_error(cx, error)) && self.current == Some(key);
        }
        self.settle(cx, news);
    }

    fn on_event(&mut self, cx: &mut Cx<'_>, event: &Event) {
        if let Event::Timer(timer) = event
            && self.children.owner(event.token()).is_none()
        {
            return self.on_expiry(cx, *timer);
        }
        let Some(report) = self.children.route(cx, event) else { return };
        self.members.get_mut(&report.child).into_iter().for_each(|member| member.hear(cx, report));
        self.settle(cx, self.current == Some(report.child));
    }

    fn exit_idle(&mut self, cx: &mut Cx<'_>) {
        if let Some(key) = self.current {
            let news = self.call(cx, key, |child, cx| child.exit_idle(cx));
            self.settle(cx, news);
        }
    }

    fn picker(&mut self, cx: &mut Cx<'_>) -> Arc<dyn Picker> {
        for key in self.children.take_stale() {
            if let Some(member) = self.members.get_mut(&key)
                && let Some(picker) = self.children.picker(cx, key)
            {
                member.picker = picker;
            }
        }
        if let Some(status) = &self.nobody {
            return Arc::new(Fixed::new(Pick::Fail(Failure::Status(status.clone()))));
        }
        let current = self.current.and_then(|key| self.members.get(&key));
        current.map_or_else(|| Arc::new(Fixed::new(Pick::Queue)) as _, |member| Arc::clone(&member.picker))
    }

    fn shutdown(&mut self, cx: &mut Cx<'_>) {
        self.children.clear(cx);
        mem::take(&mut self.members).into_values().for_each(|member| member.leave(cx));
    }
}
