//! What installations have in common: a toolchain that may be missing, commands, and files.

use std::{
    fs, io,
    path::Path,
    process::{Output, Stdio},
};

use tokio::process::Command;

/// Why a player cannot play.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The machine lacks what the player is built with. Its cells are skipped.
    #[error("this machine has no {0}")]
    NoToolchain(&'static str),
    /// The machine's packages do not bring the player. Its cells are skipped.
    #[error("{what} cannot be had on this machine: {reason}")]
    NotAvailable {
        /// The player.
        what: &'static str,
        /// The last thing its installation said.
        reason: String,
    },
    /// A program of ours that is not built.
    #[error("{0} is not built: cargo build -p thalweg-interop")]
    NotBuilt(String),
    /// A file of the installation could not be read or written.
    #[error("{what}: {source}")]
    File {
        /// The file.
        what: String,
        /// What went wrong.
        source: io::Error,
    },
    /// An installer that failed.
    #[error("{command} failed:\n{output}")]
    Failed {
        /// What ran.
        command: String,
        /// What it printed.
        output: String,
    },
}

impl InstallError {
    /// Whether it is the machine that lacks something, so that the player's cells are skipped.
    pub(in crate::matrix) fn is_missing(&self) -> bool {
        matches!(self, Self::NoToolchain(_) | Self::NotAvailable { .. })
    }
}

/// Fails with [`InstallError::NoToolchain`] unless the program starts.
pub(super) async fn needs(program: &'static str, version: &str) -> Result<(), InstallError> {
    let started = Command::new(program).arg(version).stdout(Stdio::null()).stderr(Stdio::null()).status().await;
    match started {
        Ok(status) if status.success() => Ok(()),
        _ => Err(InstallError::NoToolchain(program)),
    }
}

pub(super) async fn run(command: &mut Command) -> Result<(), InstallError> {
    let line = format!("{:?}", command.as_std());
    let failed = |output| InstallError::Failed { command: line, output };
    let Output { status, stdout, stderr } = match command.kill_on_drop(true).output().await {
        Ok(output) => output,
        Err(error) => return Err(failed(error.to_string())),
    };
    if status.success() {
        return Ok(());
    }
    Err(failed([stdout, stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat()))
}

/// Whether two files say the same; not if the second is missing.
pub(super) fn same(wanted: &Path, installed: &Path) -> Result<bool, InstallError> {
    Ok(fs::read(installed).ok() == Some(fs::read(wanted).map_err(|source| file(wanted, source))?))
}

pub(super) fn copy(from: &Path, to: &Path) -> Result<(), InstallError> {
    fs::copy(from, to).map(drop).map_err(|source| file(to, source))
}

pub(super) fn create_folder(path: &Path) -> Result<(), InstallError> {
    fs::create_dir_all(path).map_err(|source| file(path, source))
}

fn file(path: &Path, source: io::Error) -> InstallError {
    InstallError::File { what: path.display().to_string(), source }
}
