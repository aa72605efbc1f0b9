//! Hosts child policies: who owns which token, who is in which state, whose picker is stale (A61's petiole policies).

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    mem,
    sync::Arc,
};

use super::{
    LbPolicy,
    cx::{Command, Cx},
    event::Event,
    picker::Picker,
    token::{SubchannelId, Token, Watch},
};
use crate::connectivity::Connectivity;

/// A child's name within its set, never given twice.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Key(u64);

/// A child reported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Report {
    /// Who.
    pub child: Key,
    /// Its state before.
    pub from: Connectivity,
    /// Its state now; if it is as before, only the picker changed.
    pub to: Connectivity,
}

/// Looks on at everything that children command, and may add commands of its parent's own.
///
/// A [`ChildSet`] owns its tap, so that no call of a child can forget it.
pub trait Tap: Send + Debug {
    /// `child` (or a descendant of it) commanded this. What the tap adds to `cx` goes right behind it.
    fn see(&mut self, cx: &mut Cx<'_>, child: Key, command: &Command);

    /// May `child` ask the resolver to look again? If not, its [`Command::Resolve`] is dropped unseen. No other command
    /// can be: each gives or takes a token.
    fn lets_resolve(&self, _child: Key) -> bool {
        true
    }
}

/// Looks away.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTap;

impl Tap for NoTap {
    fn see(&mut self, _: &mut Cx<'_>, _: Key, _: &Command) {}
}

#[derive(Debug)]
struct Child {
    policy: Box<dyn LbPolicy>,
    /// What it goes by if it panics.
    name: Option<Arc<str>>,
    state: Connectivity,
    /// How many tokens it holds: none after its shutdown.
    held: usize,
}

/// The children of one policy.
///
/// Events are routed by token, and who owns a token is learned from the commands that pass; a late event, whose token
/// nobody owns any more, is dropped. A child counts as CONNECTING until it reports.
#[derive(Debug, Default)]
pub struct ChildSet<T = NoTap> {
    children: BTreeMap<Key, Child>,
    owners: BTreeMap<Token, Key>,
    stale: BTreeSet<Key>,
    counts: BTreeMap<Connectivity, usize>,
    last_key: u64,
    /// Empty between calls; kept for its allocation.
    passing: Vec<Command>,
    tap: T,
}

impl<T: Tap> ChildSet<T> {
    /// An empty set whose children's commands `tap` will see.
    #[must_use]
    pub fn tapped(tap: T) -> Self {
        Self {
            children: BTreeMap::new(),
            owners: BTreeMap::new(),
            stale: BTreeSet::new(),
            counts: BTreeMap::new(),
            last_key: 0,
            passing: vec![],
            tap,
        }
    }

    /// The tap.
    #[must_use]
    pub fn tap(&self) -> &T {
        &self.tap
    }

    /// The tap, to be told something.
    pub fn tap_mut(&mut self) -> &mut T {
        &mut self.tap
    }

    /// Takes a fresh child in. Give it a resolution at once.
    pub fn insert(&mut self, policy: Box<dyn LbPolicy>) -> Key {
        self.take_in(None, policy)
    }

    /// The same for a policy that goes by a name of its own, if it panics ([`Mint::interrupted`](super::Mint::interrupted)).
    pub fn insert_named(&mut self, name: impl Into<Arc<str>>, policy: Box<dyn LbPolicy>) -> Key {
        self.take_in(Some(name.into()), policy)
    }

    fn take_in(&mut self, name: Option<Arc<str>>, policy: Box<dyn LbPolicy>) -> Key {
        self.last_key += 1;
        let key = Key(self.last_key);
        self.children.insert(key, Child { policy, name, state: Connectivity::Connecting, held: 0 });
        *self.counts.entry(Connectivity::Connecting).or_default() += 1;
        key
    }

    /// Shuts a child down and forgets it.
    ///
    /// A child that keeps a token past its shutdown is a bug: a debug build says so; either way the token is given back
    /// on its behalf, so nothing leaks.
    pub fn remove(&mut self, cx: &mut Cx<'_>, key: Key) {
        self.run(cx, key, |policy, cx| policy.shutdown(cx));
        let kept = self.give_back(cx, key);
        let Some(child) = self.children.remove(&key) else { return };
        self.leave(child.state);
        self.stale.insert(key);
        debug_assert!(kept.is_empty(), "a policy kept tokens past its shutdown: {kept:?}, {:?}", child.policy);
        // What it holds is dropped, which runs its code once more.
        named(cx, child.name.as_ref(), |_| drop(child.policy));
    }

    /// Removes every child.
    pub fn clear(&mut self, cx: &mut Cx<'_>) {
        for key in self.keys().collect::<Vec<_>>() {
            self.remove(cx, key);
        }
    }

    /// Hands an event to the child that owns its token; says what the child reported, if it did.
    pub fn route(&mut self, cx: &mut Cx<'_>, event: &Event) -> Option<Report> {
        let token = event.token();
        let key = self.owner(token)?;
        if matches!(token, Token::Timer(_)) {
            self.forget(token);
        }
        self.call(cx, key, |policy, cx| policy.on_event(cx, event))
    }

    /// Calls one child; says what it reported, if it did.
    pub fn call(
        &mut self,
        cx: &mut Cx<'_>,
        key: Key,
        call: impl FnOnce(&mut dyn LbPolicy, &mut Cx<'_>),
    ) -> Option<Report> {
        let ((), reported) = self.run(cx, key, call)?;
        let to = reported?;
        let child = self.children.get_mut(&key)?;
        let from = mem::replace(&mut child.state, to);
        self.leave(from);
        *self.counts.entry(to).or_default() += 1;
        self.stale.insert(key);
        Some(Report { child: key, from, to })
    }

    /// The picker of a child. Ask only for those that [`take_stale`](Self::take_stale) names, once each.
    pub fn picker(&mut self, cx: &mut Cx<'_>, key: Key) -> Option<Arc<dyn Picker>> {
        let (picker, reported) = self.run(cx, key, |policy, cx| policy.picker(cx))?;
        debug_assert!(reported.is_none(), "a policy reported while it was asked for its picker");
        Some(picker)
    }

    /// The children that reported, or left, since the last call: the only ones whose pickers a parent need renew.
    pub fn take_stale(&mut self) -> BTreeSet<Key> {
        mem::take(&mut self.stale)
    }

    /// The state of a child, `None` if it is gone.
    #[must_use]
    pub fn state(&self, key: Key) -> Option<Connectivity> {
        self.children.get(&key).map(|child| child.state)
    }

    /// Which child this token belongs to.
    #[must_use]
    pub fn owner(&self, token: Token) -> Option<Key> {
        self.owners.get(&token).copied()
    }

    /// How many children are in this state.
    #[must_use]
    pub fn count(&self, state: Connectivity) -> usize {
        self.counts.get(&state).copied().unwrap_or(0)
    }

    /// The children, oldest first.
    pub fn keys(&self) -> impl Iterator<Item = Key> {
        self.children.keys().copied()
    }

    /// How many children there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.children.len()
    }

    /// Are there no children?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.children.is_empty()
    }

    /// Calls a child, passes its commands on, and tells its report apart from the parent's.
    fn run<R>(
        &mut self,
        cx: &mut Cx<'_>,
        key: Key,
        call: impl FnOnce(&mut dyn LbPolicy, &mut Cx<'_>) -> R,
    ) -> Option<(R, Option<Connectivity>)> {
        let child = self.children.get_mut(&key)?;
        let (mark, ours) = (cx.out.len(), cx.reported.take());
        let result = named(cx, child.name.as_ref(), |cx| call(&mut *child.policy, cx));
        let theirs = mem::replace(&mut cx.reported, ours);
        self.pass_on(cx, key, mark);
        Some((result, theirs))
    }

    /// Learns from the commands behind `mark`, which are the child's, and shows each to the tap.
    fn pass_on(&mut self, cx: &mut Cx<'_>, key: Key, mark: usize) {
        let mut passing = mem::take(&mut self.passing);
        passing.extend(cx.out.drain(mark..));
        for command in passing.drain(..) {
            if matches!(command, Command::Resolve) && !self.tap.lets_resolve(key) {
                continue;
            }
            self.learn(key, &command);
            let place = cx.out.len();
            self.tap.see(cx, key, &command);
            cx.out.insert(place, command);
        }
        self.passing = passing;
    }

    fn learn(&mut self, key: Key, command: &Command) {
        match command {
            Command::Create { id, .. } => self.own(key, Token::Subchannel(*id)),
            Command::Arm { timer, .. } => self.own(key, Token::Timer(*timer)),
            Command::Offer(wake) => self.own(key, Token::Wake(*wake)),
            Command::Observe { watch, .. } | Command::WatchLoad { watch, .. } | Command::WatchHealth(watch) => {
                self.own(key, Token::Watch(*watch));
            }
            Command::Cancel(timer) => self.forget(Token::Timer(*timer)),
            Command::Withdraw(wake) => self.forget(Token::Wake(*wake)),
            Command::Unwatch(watch) => self.forget(Token::Watch(*watch)),
            Command::Shutdown(id) => self.forget_subchannel(*id),
            Command::Connect(_) | Command::Divert(_) | Command::Resolve => {}
        }
    }

    fn own(&mut self, key: Key, token: Token) {
        self.owners.insert(token, key);
        if let Some(child) = self.children.get_mut(&key) {
            child.held += 1;
        }
    }

    fn forget(&mut self, token: Token) {
        if let Some(child) = self.owners.remove(&token).and_then(|key| self.children.get_mut(&key)) {
            child.held -= 1;
        }
    }

    /// A subchannel goes, and every watch on it.
    fn forget_subchannel(&mut self, id: SubchannelId) {
        let watches = Token::Watch(Watch { of: id, key: 0 })..=Token::Watch(Watch { of: id, key: u64::MAX });
        while let Some((watch, _)) = self.owners.range(watches.clone()).next() {
            self.forget(*watch);
        }
        self.forget(Token::Subchannel(id));
    }

    /// Gives back what a child still holds, and says what that was.
    fn give_back(&mut self, cx: &mut Cx<'_>, key: Key) -> Vec<Token> {
        if self.children.get(&key).is_none_or(|child| child.held == 0) {
            return vec![];
        }
        let kept: Vec<Token> =
            self.owners.iter().filter(|(_, owner)| **owner == key).map(|(token, _)| *token).collect();
        let mark = cx.out.len();
        for token in &kept {
            match *token {
                Token::Subchannel(id) => cx.shutdown(id),
                Token::Timer(timer) => cx.cancel(timer),
                Token::Wake(wake) => cx.withdraw(wake),
                // Its subchannel, if kept too, came first and took the watch along.
                Token::Watch(watch) if kept.contains(&Token::Subchannel(watch.of())) => {}
                Token::Watch(watch) => cx.unwatch(watch),
            }
        }
        self.pass_on(cx, key, mark);
        kept
    }

    fn leave(&mut self, state: Connectivity) {
        if let Some(count) = self.counts.get_mut(&state) {
            *count -= 1;
        }
    }
}

/// Runs code of a policy, and says whose it is, in case that it panics.
fn named<R>(cx: &mut Cx<'_>, name: Option<&Arc<str>>, code: impl FnOnce(&mut Cx<'_>) -> R) -> R {
    name.iter().for_each(|name| cx.enter(Arc::clone(name)));
    let result = code(cx);
    name.iter().for_each(|_| cx.leave());
    result
}

#[cfg(test)]
mod tests;
