//! What all connections of a channel or of a server have done together, those that are over included (A14).
//!
//! It costs calls nothing: a connection counts for itself, and its figures are added up when it is over.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use super::{error::Blame, link::Link};
use crate::{
    error::ConnectError,
    transport::counters::{ConnectionStats, ConnectionTotals, Rule, StreamStats},
};

/// The connections of a channel or of a server, in the order in which they began.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Books>);

#[derive(Debug, Default)]
struct Books {
    present: BTreeMap<u64, Entry>,
    /// How many connections there have been.
    begun: u64,
    /// What those did that are over.
    past: ConnectionTotals,
}

#[derive(Debug)]
struct Entry {
    link: Arc<Link>,
    /// It was ready for calls.
    opened: bool,
}

impl Entry {
    /// Is it ready for calls?
    fn is_ready(&self) -> bool {
        self.opened && self.link.ended().is_none()
    }
}

impl Ledger {
    /// Lists a connection until all that this returns is dropped.
    pub(super) fn begin(self: &Arc<Self>, link: &Arc<Link>) -> Arc<Presence> {
        let mut books = self.books();
        books.begun += 1;
        let number = books.begun;
        books.present.insert(number, Entry { link: Arc::clone(link), opened: false });
        Arc::new(Presence { ledger: Arc::clone(self), number })
    }

    /// A byte stream was there, and no connection came of it.
    pub(crate) fn note_failure(&self, error: &ConnectError) {
        let past = &mut self.books().past;
        past.failed_handshakes += 1;
        if matches!(error, ConnectError::TimedOut { .. }) {
            past.violations.add(Rule::Handshake);
        }
    }

    /// Each connection that is ready for calls.
    pub(crate) fn connections(&self) -> Vec<ConnectionStats> {
        let books = self.books();
        let ready = books.present.values().filter(|entry| entry.is_ready());
        ready.map(|entry| entry.link.stats()).collect()
    }

    /// The open streams of each connection that is ready for calls. Each is asked on its own, and its reading task answers.
    pub(crate) async fn streams(&self) -> Vec<StreamStats> {
        let mut all = vec![];
        for answer in self.ask_for_streams() {
            // The connection may have ended meanwhile, and its streams with it.
            all.extend(answer.await.unwrap_or_default());
        }
        all.sort_unstable_by_key(|stream| (stream.connection, stream.id));
        all
    }

    fn ask_for_streams(&self) -> Vec<oneshot::Receiver<Vec<StreamStats>>> {
        let books = self.books();
        let ready = books.present.iter().filter(|(_, entry)| entry.is_ready());
        ready.map(|(number, entry)| entry.link.ask_for_streams(*number)).collect()
    }

    /// All connections together.
    pub(crate) fn totals(&self) -> ConnectionTotals {
        let books = self.books();
        let mut totals = books.past;
        books.present.values().for_each(|entry| totals.counters.add(&entry.link.counters()));
        totals
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        // A panic in between would leave them whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's place in the ledger, held by both of its tasks: when the second ends there is nothing more to count.
#[derive(Debug)]
pub(super) struct Presence {
    ledger: Arc<Ledger>,
    number: u64,
}

impl Presence {
    /// The connection is ready for calls.
    pub(super) fn open(&self) {
        let mut books = self.ledger.books();
        if let Some(entry) = books.present.get_mut(&self.number) {
            entry.opened = true;
            books.past.opened += 1;
        }
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        let mut books = self.ledger.books();
        let over = books.present.remove(&self.number);
        if let Some(Entry { link, opened }) = &over {
            books.past.close(link, *opened);
        }
        // Whatever goes with it does not need the books.
        drop(books);
        drop(over);
    }
}

impl ConnectionTotals {
    /// A connection is over.
    fn close(&mut self, link: &Link, opened: bool) {
        self.counters.add(&link.counters());
        let blame = link.blamed();
        if let Some(Blame::Violation(rule)) = blame {
            self.violations.add(rule);
        }
        if opened {
            *match blame {
                None => &mut self.closed,
                Some(Blame::Peer) => &mut self.closed_by_peer,
                Some(Blame::Network) => &mut self.broken,
                Some(Blame::Silence) => &mut self.silent,
                Some(Blame::Violation(_)) => &mut self.condemned,
            } += 1;
        }
    }
}
