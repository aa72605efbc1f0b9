//! Runs the cells, one after the other.

use std::{collections::BTreeMap, fs, io, time::Instant};

use super::{
    cases::{self, Case},
    install::{self, InstallError, Programs},
    options::MatrixOptions,
    peer::Peer,
    plan::{self, Pair, UnknownCase},
    process::{Folder, Server},
    report::Report,
};
use crate::certs::CertsError;

/// What keeps the matrix from running.
#[derive(Debug, thiserror::Error)]
pub enum MatrixError {
    /// The table of cases could not be read.
    #[error("interop/cases.toml: {0}")]
    Read(#[from] io::Error),
    /// The table of cases is malformed.
    #[error("interop/cases.toml: {0}")]
    Cases(#[from] toml::de::Error),
    /// A case was asked for that there isn't.
    #[error(transparent)]
    UnknownCase(#[from] UnknownCase),
    /// The certificates could not be made.
    #[error(transparent)]
    Certs(#[from] CertsError),
    /// A peer could not be installed although its toolchain is there.
    #[error("{peer} cannot be installed: {error}")]
    Install {
        /// The peer.
        peer: &'static str,
        /// What went wrong.
        error: InstallError,
    },
}

/// Runs what the options select, and says whether no cell failed.
///
/// # Errors
///
/// If the matrix cannot run at all. A peer without its toolchain is no error: its cells are skipped.
pub async fn run(options: &MatrixOptions) -> Result<bool, MatrixError> {
    let all = cases::parse(&fs::read_to_string(install::interop().join("cases.toml"))?)?;
    let cases = plan::cases(&all, options)?;
    let pairs = plan::pairs(&options.only);
    let folder = Folder::new(install::peers().join("run"))?;
    let peers = install_all(&pairs).await?;
    let mut report = Report::new(pairs.len() * cases.len());
    for pair in pairs {
        match (&peers[&pair.client], &peers[&pair.server]) {
            (Ok(client), Ok(server)) => play(pair, client, server, &cases, &folder, &mut report).await,
            (Err(missing), _) | (_, Err(missing)) => {
                cases.iter().for_each(|case| report.skipped(pair, &case.name, missing));
            }
        }
    }
    Ok(report.end())
}

/// The programs of every peer that plays, or that its toolchain is missing.
type Peers = BTreeMap<Peer, Result<Programs, InstallError>>;

async fn install_all(pairs: &[Pair]) -> Result<Peers, MatrixError> {
    let mut peers = Peers::new();
    for peer in Peer::ALL {
        if pairs.iter().any(|pair| pair.client == peer || pair.server == peer) {
            let programs = match install::install(peer).await {
                Err(error) if !matches!(error, InstallError::NoToolchain(_)) => {
                    return Err(MatrixError::Install { peer: peer.name(), error });
                }
                programs => programs,
            };
            peers.insert(peer, programs);
        }
    }
    Ok(peers)
}

/// Plays every case of a pair against one server.
async fn play(pair: Pair, client: &Programs, server: &Programs, cases: &[&Case], folder: &Folder, report: &mut Report) {
    let server = Server::start(server.server(), pair.security, folder).await;
    for case in cases {
        let (name, start) = (&case.name, Instant::now());
        if let Some(reason) = case.off(pair.client, pair.server) {
            report.skipped(pair, name, reason);
            continue;
        }
        let server = match &server {
            Ok(server) => server,
            Err(failed) => {
                report.failed(pair, name, failed);
                continue;
            }
        };
        match server.play(client.client(), name, &case.args, pair.security, folder).await {
            Ok(()) => report.passed(pair, name, start.elapsed()),
            Err(failed) => report.failed(pair, name, format_args!("{failed}{}", server.output())),
        }
    }
}
