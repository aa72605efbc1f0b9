//! What is known of every service, and who is told when it changes.

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::{sync::watch, task::AbortHandle};

use super::ServingStatus;

/// The status of every service. The lock is held for moments only: watchers read at their own pace.
#[derive(Debug, Default)]
pub(super) struct Board(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    services: BTreeMap<String, Entry>,
    /// All is NOT_SERVING, whatever is said.
    down: bool,
    /// How many sources there have been.
    sources: u64,
}

/// What is known of a service, or that somebody waits for something to be known.
#[derive(Debug, Default)]
struct Entry {
    /// What everybody sees; `None` while nothing is known.
    shown: watch::Sender<Option<ServingStatus>>,
    source: Option<Source>,
}

/// What a service follows.
#[derive(Debug)]
struct Source {
    id: u64,
    /// What it said last.
    said: ServingStatus,
    /// The task that listens to it, once there is one.
    task: Option<AbortHandle>,
}

impl Drop for Source {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Entry {
    fn show(&self, status: Option<ServingStatus>) {
        self.shown.send_if_modified(|shown| {
            let changed = *shown != status;
            *shown = status;
            changed
        });
    }

    fn status(&self) -> Option<ServingStatus> {
        *self.shown.borrow()
    }

    /// Is this the source that the service follows?
    fn follows(&self, id: u64) -> bool {
        self.source.as_ref().is_some_and(|source| source.id == id)
    }

    /// Nothing is known, and nobody waits for it.
    fn is_idle(&self) -> bool {
        self.status().is_none() && self.shown.receiver_count() == 0
    }
}

impl State {
    fn known(&self) -> impl Iterator<Item = (&String, &Entry, ServingStatus)> {
        self.services.iter().filter_map(|(name, entry)| Some((name, entry, entry.status()?)))
    }

    /// Lets an entry go that nobody needs.
    fn forget(&mut self, service: &str) {
        if self.services.get(service).is_some_and(Entry::is_idle) {
            self.services.remove(service);
        }
    }
}

impl Board {
    pub(super) fn set(&self, service: String, status: ServingStatus) {
        self.decide(service, Some(status));
    }

    pub(super) fn clear(&self, service: &str) {
        self.decide(service.to_owned(), None);
        self.unwatch(service);
    }

    /// Somebody says how a service is, which then follows nothing any longer.
    fn decide(&self, service: String, status: Option<ServingStatus>) {
        let mut state = self.state();
        if state.down {
            return;
        }
        let entry = state.services.entry(service).or_default();
        entry.show(status);
        let source = entry.source.take();
        // Ended without the lock, which the end of its task may want.
        drop(state);
        drop(source);
    }

    /// A service follows a source from now on, which has said this. Returns the source's number.
    pub(super) fn follow(&self, service: &str, said: ServingStatus) -> u64 {
        let mut state = self.state();
        state.sources += 1;
        let (id, down) = (state.sources, state.down);
        let entry = state.services.entry(service.to_owned()).or_default();
        entry.show(Some(if down { ServingStatus::NotServing } else { said }));
        let source = entry.source.replace(Source { id, said, task: None });
        drop(state);
        drop(source);
        id
    }

    /// The task that listens to a source is to end with it.
    pub(super) fn bind(&self, service: &str, id: u64, task: AbortHandle) {
        let mut state = self.state();
        match state.services.get_mut(service).filter(|entry| entry.follows(id)).and_then(|entry| entry.source.as_mut())
        {
            Some(source) => source.task = Some(task),
            None => {
                drop(state);
                task.abort();
            }
        }
    }

    /// What a source says. Nobody listens if the service no longer follows it.
    pub(super) fn say(&self, service: &str, id: u64, status: ServingStatus) {
        let mut state = self.state();
        let down = state.down;
        let Some(entry) = state.services.get_mut(service).filter(|entry| entry.follows(id)) else { return };
        if let Some(source) = &mut entry.source {
            source.said = status;
        }
        if !down {
            entry.show(Some(status));
        }
    }

    pub(super) fn status(&self, service: &str) -> Option<ServingStatus> {
        self.state().services.get(service).and_then(Entry::status)
    }

    /// Every service of which something is known, if there are at most so many.
    pub(super) fn list(&self, at_most: usize) -> Option<BTreeMap<String, ServingStatus>> {
        let state = self.state();
        let known = || state.known();
        (known().count() <= at_most).then(|| known().map(|(name, _, status)| (name.clone(), status)).collect())
    }

    /// How a service is, now and later.
    pub(super) fn watch(&self, service: String) -> watch::Receiver<Option<ServingStatus>> {
        self.state().services.entry(service).or_default().shown.subscribe()
    }

    /// Somebody watches a service no more.
    pub(super) fn unwatch(&self, service: &str) {
        self.state().forget(service);
    }

    pub(super) fn shutdown(&self) {
        let mut state = self.state();
        state.down = true;
        state.known().for_each(|(_, entry, _)| entry.show(Some(ServingStatus::NotServing)));
    }

    pub(super) fn resume(&self) {
        let mut state = self.state();
        state.down = false;
        let said = |entry: &Entry| entry.source.as_ref().map_or(ServingStatus::Serving, |source| source.said);
        state.known().for_each(|(_, entry, _)| entry.show(Some(said(entry))));
    }

    /// Every service that has an entry, known or not.
    #[cfg(test)]
    pub(super) fn names(&self) -> Vec<String> {
        self.state().services.keys().cloned().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
