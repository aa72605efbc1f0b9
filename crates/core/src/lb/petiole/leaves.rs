//! What a petiole policy keeps of its leaves, and who looks on at what they command.

use std::collections::BTreeMap;

use super::Spread;
use crate::{
    endpoint::Endpoint,
    lb::{
        child::{Key, Tap},
        cx::{Command, Cx},
    },
};

/// The spread, and what it keeps of each leaf's endpoint.
#[derive(Debug)]
pub(super) struct Leaves<S: Spread> {
    spread: S,
    kept: BTreeMap<Key, S::Kept>,
}

impl<S: Spread> Leaves<S> {
    pub(super) fn new(spread: S) -> Self {
        Self { spread, kept: BTreeMap::new() }
    }

    pub(super) fn spread(&mut self) -> &mut S {
        &mut self.spread
    }

    pub(super) fn kept(&self, leaf: Key) -> Option<&S::Kept> {
        self.kept.get(&leaf)
    }

    pub(super) fn keep(&mut self, leaf: Key, kept: S::Kept) {
        self.kept.insert(leaf, kept);
    }

    /// What is kept of the endpoint from now on, if that is something else.
    pub(super) fn readmit(&mut self, endpoint: &Endpoint, leaf: Key) -> Option<S::Kept> {
        let kept = self.kept.get_mut(&leaf)?;
        *kept = self.spread.readmit(endpoint, kept)?;
        Some(kept.clone())
    }

    pub(super) fn forget(&mut self, leaf: Key) {
        self.kept.remove(&leaf);
    }
}

impl<S: Spread> Tap for Leaves<S> {
    fn see(&mut self, cx: &mut Cx<'_>, child: Key, command: &Command) {
        if let Some(kept) = self.kept.get(&child) {
            self.spread.see(cx, kept, command);
        }
    }
}
