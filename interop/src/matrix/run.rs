//! Runs the cells, one after the other.

use std::{collections::BTreeMap, fs, io, time::Instant};

use super::{
    cases::{self, Case},
    install::{self, InstallError, Program, Programs},
    options::MatrixOptions,
    peer::{Cell, Peer, Tool},
    plan::{self, Pair, UnknownCase},
    process::{Failed, Folder, Server},
    report::Report,
    tools::{self, Planned},
};
use crate::certs::CertsError;

/// What keeps the matrix from running.
#[derive(Debug, thiserror::Error)]
pub enum MatrixError {
    /// A table of what there is to run could not be read.
    #[error("interop/{file}: {error}")]
    Read {
        /// Its name.
        file: &'static str,
        /// What went wrong.
        error: io::Error,
    },
    /// A table of what there is to run is malformed.
    #[error("interop/{file}: {error}")]
    Table {
        /// Its name.
        file: &'static str,
        /// What is wrong, and where.
        error: toml::de::Error,
    },
    /// A case was asked for that there isn't.
    #[error(transparent)]
    UnknownCase(#[from] UnknownCase),
    /// The certificates could not be made.
    #[error(transparent)]
    Certs(#[from] CertsError),
    /// A player could not be installed although its toolchain is there.
    #[error("{player} cannot be installed: {error}")]
    Install {
        /// The player.
        player: &'static str,
        /// What went wrong.
        error: InstallError,
    },
}

/// Runs what the options select, and says whether no cell failed.
///
/// # Errors
///
/// If the matrix cannot run at all. A player that the machine cannot install is no error: its cells are skipped.
pub async fn run(options: &MatrixOptions) -> Result<bool, MatrixError> {
    let (all, jobs) = (table("cases.toml", cases::parse)?, table("tools.toml", tools::parse)?);
    let names: Vec<_> = all.iter().map(|case| case.name.as_str()).chain(jobs.names()).collect();
    plan::check_names(&options.only, &names)?;
    let (cases, jobs) = (plan::cases(&all, options), jobs.plan(&options.only));
    // Without a case there is nobody to install.
    let pairs = if cases.is_empty() { Vec::new() } else { plan::pairs(&options.only) };
    let folder = Folder::new(install::peers().join("run"))?;
    let (peers, tools) = (install_peers(&pairs).await?, install_tools(&jobs).await?);
    let mut report = Report::new(pairs.len() * cases.len() + jobs.iter().map(Planned::cells).sum::<usize>());
    for pair in pairs {
        match (&peers[&pair.client], &peers[&pair.server]) {
            (Ok(client), Ok(server)) => play(pair, client, server, &cases, &folder, &mut report).await,
            (Err(missing), _) | (_, Err(missing)) => {
                cases.iter().for_each(|case| report.skipped(pair.cell(&case.name), missing));
            }
        }
    }
    for job in jobs {
        match &tools[&job.tool()] {
            Ok((tool, thalweg)) => job.run(tool, thalweg, &folder, &mut report).await,
            Err(missing) => job.skip(missing, &mut report),
        }
    }
    Ok(report.end())
}

fn table<T>(file: &'static str, parse: fn(&str) -> Result<T, toml::de::Error>) -> Result<T, MatrixError> {
    let text = fs::read_to_string(install::interop().join(file)).map_err(|error| MatrixError::Read { file, error })?;
    parse(&text).map_err(|error| MatrixError::Table { file, error })
}

/// The programs of every peer that plays, or what the machine lacks for it.
type Peers = BTreeMap<Peer, Result<Programs, InstallError>>;

async fn install_peers(pairs: &[Pair]) -> Result<Peers, MatrixError> {
    let mut peers = Peers::new();
    for peer in Peer::ALL {
        if pairs.iter().any(|pair| pair.client == peer || pair.server == peer) {
            peers.insert(peer, unless_broken(peer.name(), install::peer(peer).await)?);
        }
    }
    Ok(peers)
}

/// Every tool that plays, with thalweg's programs, or what the machine lacks for it.
type Tools = BTreeMap<Tool, Result<(Program, Programs), InstallError>>;

async fn install_tools(jobs: &[Planned<'_>]) -> Result<Tools, MatrixError> {
    let mut tools = Tools::new();
    for tool in Tool::ALL {
        if jobs.iter().any(|job| job.tool() == tool) {
            let thalweg = install::peer(Peer::Thalweg).await;
            let both = match install::tool(tool).await {
                Ok(program) => thalweg.map(|thalweg| (program, thalweg)),
                Err(error) => Err(error),
            };
            tools.insert(tool, unless_broken(tool.name(), both)?);
        }
    }
    Ok(tools)
}

/// Lets a player through that the machine lacks something for, and fails on one whose installation went wrong.
fn unless_broken<T>(
    player: &'static str,
    installed: Result<T, InstallError>,
) -> Result<Result<T, InstallError>, MatrixError> {
    match installed {
        Err(error) if !error.is_missing() => Err(MatrixError::Install { player, error }),
        playable => Ok(playable),
    }
}

/// Plays every case of a pair against one server.
async fn play(pair: Pair, client: &Programs, server: &Programs, cases: &[&Case], folder: &Folder, report: &mut Report) {
    let server = Server::start(folder, |port| folder.serving(server.server.command(), port, pair.security)).await;
    for case in cases {
        let (cell, start) = (pair.cell(&case.name), Instant::now());
        if let Some(reason) = case.off(pair.client, pair.server) {
            report.skipped(cell, reason);
            continue;
        }
        let server = match &server {
            Ok(server) => server,
            Err(failed) => {
                report.failed(cell, failed);
                continue;
            }
        };
        match play_case(cell, server, client, &case.args, folder).await {
            Ok(()) => report.passed(cell, start.elapsed()),
            Err(failed) => report.failed(cell, failed.beside(server)),
        }
    }
}

async fn play_case(
    cell: Cell<'_>,
    server: &Server,
    client: &Programs,
    args: &[String],
    folder: &Folder,
) -> Result<(), Failed> {
    let client = |port| {
        let mut command = folder.calling(client.client.command(), port, cell.security, cell.case);
        command.args(args);
        command
    };
    server.play(folder, client).await?.succeeded()
}
