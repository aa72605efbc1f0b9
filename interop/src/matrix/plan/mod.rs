//! Which pairs and cases the options select, in the order they run.

use super::{
    cases::Case,
    options::{MatrixOptions, Only},
    peer::{Cell, Peer, Security},
};

#[cfg(test)]
mod tests;

/// A client, a server, and how they are connected: one server process plays all its cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) client: Peer,
    pub(super) server: Peer,
    pub(super) security: Security,
}

impl Pair {
    pub(super) fn cell(self, case: &str) -> Cell<'_> {
        Cell { client: self.client.name(), server: self.server.name(), security: self.security, case }
    }
}

/// A name in `--only` for which there is no case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no case {0:?} in interop/cases.toml or interop/tools.toml")]
pub struct UnknownCase(String);

/// Fails if `--only` names a case that is not among all there are.
pub(super) fn check_names(only: &Only, all: &[&str]) -> Result<(), UnknownCase> {
    match only.cases.iter().find(|wanted| !all.contains(&wanted.as_str())) {
        Some(unknown) => Err(UnknownCase(unknown.clone())),
        None => Ok(()),
    }
}

/// The pairs that the options select. A pair without thalweg proves the peers, and must be asked for by name.
pub(super) fn pairs(only: &Only) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for client in Peer::ALL {
        for server in Peer::ALL {
            let ours = client == Peer::Thalweg || server == Peer::Thalweg;
            let named = only.clients.contains(&client.name()) && only.servers.contains(&server.name());
            if named || (ours && fits(&only.clients, &client.name()) && fits(&only.servers, &server.name())) {
                let securities = Security::ALL.into_iter().filter(|security| fits(&only.securities, security));
                pairs.extend(securities.map(|security| Pair { client, server, security }));
            }
        }
    }
    pairs
}

/// The cases that the options select.
pub(super) fn cases<'a>(all: &'a [Case], options: &MatrixOptions) -> Vec<&'a Case> {
    let wanted = |case: &&Case| (case.smoke || !options.smoke) && fits(&options.only.cases, &case.name);
    all.iter().filter(wanted).collect()
}

/// Whether the options select a cell.
pub(super) fn selects(only: &Only, cell: Cell<'_>) -> bool {
    fits(&only.clients, &cell.client)
        && fits(&only.servers, &cell.server)
        && fits(&only.securities, &cell.security)
        && (only.cases.is_empty() || only.cases.iter().any(|name| name == cell.case))
}

fn fits<T: PartialEq>(wanted: &[T], value: &T) -> bool {
    wanted.is_empty() || wanted.contains(value)
}
