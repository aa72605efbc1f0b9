//! The ledger: every call entered once, by backend and by how it ended, and the verdict on those that failed.

mod account;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

use thalweg::core::{connectivity::Connectivity, status::Code};
use tokio::time::Instant;

pub(super) use self::account::Account;
use super::{
    load::Outcome,
    news::{News, What},
};

/// All that is known of the calls and the backends. One task owns it, so nothing is locked.
#[derive(Debug)]
pub(super) struct Ledger {
    /// One for each backend, and a last one for calls that reached none.
    accounts: Vec<Account>,
    /// The same again for each recent slice of time, the newest last.
    recent: VecDeque<Vec<Account>>,
    /// How many slices are recent.
    slices: usize,
    backends: Vec<Standing>,
    unexpected: BTreeMap<(Code, Option<usize>), Unexpected>,
}

/// What has happened to a backend.
#[derive(Clone, Copy, Debug)]
struct Standing {
    connection: Connectivity,
    drained: bool,
    killed: Option<Outage>,
    /// Calls that failed because it was killed.
    victims: u64,
}

/// From the kill until it served again, if it does.
#[derive(Clone, Copy, Debug)]
struct Outage {
    from: Instant,
    until: Option<Instant>,
}

/// Failures that nothing in the story explains.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Unexpected {
    /// How many.
    pub(super) calls: u64,
    /// What the first one said.
    pub(super) message: String,
}

impl Ledger {
    /// An empty ledger of so many backends. The last `slices` slices of time count as recent.
    pub(super) fn new(backends: usize, slices: usize) -> Self {
        let standing = Standing { connection: Connectivity::Idle, drained: false, killed: None, victims: 0 };
        let accounts = vec![Account::default(); backends + 1];
        Self {
            recent: VecDeque::from([accounts.clone()]),
            accounts,
            slices,
            backends: vec![standing; backends],
            unexpected: BTreeMap::new(),
        }
    }

    /// Enters a call.
    pub(super) fn enter(&mut self, outcome: &Outcome) {
        let place = outcome.reached.unwrap_or(self.backends.len());
        self.accounts[place].enter(outcome);
        if let Some(slice) = self.recent.back_mut() {
            slice[place].enter(outcome);
        }
        let Err(status) = &outcome.result else { return };
        let code = account::code(status);
        match outcome.reached.map(|backend| &mut self.backends[backend]) {
            Some(backend) if code == Code::Unavailable && backend.was_killed_under(outcome) => backend.victims += 1,
            _ => {
                let unexpected = self.unexpected.entry((code, outcome.reached)).or_default();
                unexpected.calls += 1;
                if unexpected.calls == 1 {
                    status.message().clone_into(&mut unexpected.message);
                }
            }
        }
    }

    /// Hears what happened to a backend. Returns whether a reader would want to know too.
    pub(super) fn hear(&mut self, news: &News) -> bool {
        let backend = &mut self.backends[news.backend];
        match news.what {
            What::Draining { .. } => backend.drained = true,
            What::Drained => {}
            What::Killed { .. } => backend.killed = Some(Outage { from: news.at, until: None }),
            What::Back => {
                if let Some(outage) = &mut backend.killed {
                    outage.until.get_or_insert(news.at);
                }
            }
            What::Connection(state) => {
                let before = std::mem::replace(&mut backend.connection, state);
                return before != state && [before, state].contains(&Connectivity::Ready);
            }
        }
        true
    }

    /// Begins a new slice of time.
    pub(super) fn turn(&mut self) {
        self.recent.push_back(vec![Account::default(); self.accounts.len()]);
        if self.recent.len() > self.slices {
            self.recent.pop_front();
        }
    }

    /// The numbers of all backends.
    pub(super) fn backends(&self) -> std::ops::Range<usize> {
        0..self.backends.len()
    }

    /// All calls that reached the backend.
    pub(super) fn of(&self, backend: usize) -> &Account {
        &self.accounts[backend]
    }

    /// The calls that reached no backend.
    pub(super) fn lost(&self) -> &Account {
        &self.accounts[self.backends.len()]
    }

    /// All calls.
    pub(super) fn all(&self) -> Account {
        Account::sum(&self.accounts)
    }

    /// The recent calls that reached the backend.
    pub(super) fn recently_of(&self, backend: usize) -> Account {
        Account::sum(self.recent.iter().map(|slice| &slice[backend]))
    }

    /// All recent calls.
    pub(super) fn recently(&self) -> Account {
        Account::sum(self.recent.iter().flatten())
    }

    /// The backend's connection, as the channel sees it.
    pub(super) fn connection(&self, backend: usize) -> Connectivity {
        self.backends[backend].connection
    }

    /// The backends that were drained.
    pub(super) fn drained(&self) -> impl Iterator<Item = usize> {
        self.backends().filter(|backend| self.backends[*backend].drained)
    }

    /// The backends that were killed, and how many calls each took with it.
    pub(super) fn killed(&self) -> impl Iterator<Item = (usize, u64)> {
        let backends = self.backends.iter().enumerate();
        backends.filter(|(_, backend)| backend.killed.is_some()).map(|(number, backend)| (number, backend.victims))
    }

    /// The failures that nothing in the story explains, by code and by the backend that was reached.
    pub(super) fn unexpected(&self) -> &BTreeMap<(Code, Option<usize>), Unexpected> {
        &self.unexpected
    }
}

impl Standing {
    /// Was the call on its way when the backend was killed, or before that was known?
    fn was_killed_under(&self, outcome: &Outcome) -> bool {
        self.killed.is_some_and(|outage| {
            outcome.ended >= outage.from && outage.until.is_none_or(|until| outcome.begun < until)
        })
    }
}
