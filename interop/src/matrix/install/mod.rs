//! Makes each player ready to run, in versions that are pinned; what it installs lies under `interop/.peers`.

mod grpc_go;
mod grpc_js;
mod h2spec;
mod nghttp2;
mod python;
mod thalweg;

mod steps;

use std::path::{Path, PathBuf};

use tokio::process::Command;

pub(super) use self::steps::InstallError;
use super::peer::{Peer, Tool};

/// The programs of a peer.
#[derive(Clone, Debug)]
pub(super) struct Programs {
    pub(super) client: Program,
    pub(super) server: Program,
}

/// An executable, the script that it is to run if it is an interpreter, and what it finds in its environment.
#[derive(Clone, Debug)]
pub(super) struct Program {
    executable: PathBuf,
    script: Option<PathBuf>,
    environment: Vec<(&'static str, PathBuf)>,
}

impl Program {
    fn executable(executable: PathBuf) -> Self {
        Self { executable, script: None, environment: Vec::new() }
    }

    /// A command that starts the program, and kills it when dropped.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.executable);
        command.args(&self.script).envs(self.environment.iter().map(|(key, value)| (key, value)));
        command.kill_on_drop(true);
        command
    }
}

/// The folder of this package.
pub(super) fn interop() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder of everything that is installed or made at run time.
pub(super) fn peers() -> PathBuf {
    interop().join(".peers")
}

/// Makes a peer ready, or does nothing if it is ready already.
pub(super) async fn peer(peer: Peer) -> Result<Programs, InstallError> {
    match peer {
        Peer::Thalweg => thalweg::programs(),
        Peer::GrpcGo => grpc_go::install().await,
        Peer::Python => python::install().await,
        Peer::GrpcJs => grpc_js::install().await,
    }
}

/// Makes a tool ready, or does nothing if it is ready already.
pub(super) async fn tool(tool: Tool) -> Result<Program, InstallError> {
    match tool {
        Tool::H2spec => h2spec::install().await,
        Tool::H2load | Tool::Nghttp | Tool::Nghttpd => nghttp2::install(tool.name()).await,
    }
}
