//! Which cells the options select, in the order they run.

use super::{
    cases::Case,
    options::{MatrixOptions, Only},
    peer::{Peer, Security},
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

/// A name in `--only` for which there is no case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no case {0:?} in interop/cases.toml")]
pub struct UnknownCase(String);

/// The pairs that the options select. A pair without thalweg proves the peers, and must be asked for by name.
pub(super) fn pairs(only: &Only) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for client in Peer::ALL {
        for server in Peer::ALL {
            let ours = client == Peer::Thalweg || server == Peer::Thalweg;
            let named = only.clients.contains(&client) && only.servers.contains(&server);
            if named || (ours && fits(&only.clients, &client) && fits(&only.servers, &server)) {
                let securities = Security::ALL.into_iter().filter(|security| fits(&only.securities, security));
                pairs.extend(securities.map(|security| Pair { client, server, security }));
            }
        }
    }
    pairs
}

/// The cases that the options select.
pub(super) fn cases<'a>(all: &'a [Case], options: &MatrixOptions) -> Result<Vec<&'a Case>, UnknownCase> {
    let only = &options.only.cases;
    if let Some(unknown) = only.iter().find(|name| all.iter().all(|case| case.name != **name)) {
        return Err(UnknownCase(unknown.clone()));
    }
    Ok(all.iter().filter(|case| (case.smoke || !options.smoke) && fits(only, &case.name)).collect())
}

fn fits<T: PartialEq>(wanted: &[T], value: &T) -> bool {
    wanted.is_empty() || wanted.contains(value)
}
