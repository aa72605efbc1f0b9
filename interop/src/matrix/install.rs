//! Makes each peer ready to run, in versions that are pinned; what it installs lies under `interop/.peers`.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use tokio::process::Command;

use super::peer::Peer;

/// The release of grpc-go whose interoperability programs play.
const GRPC_GO: &str = "v1.85.0";

/// The programs of a peer.
#[derive(Clone, Debug)]
pub(super) struct Programs {
    client: Program,
    server: Program,
    environment: Vec<(&'static str, PathBuf)>,
}

/// An executable, and the script that it is to run if it is an interpreter.
#[derive(Clone, Debug)]
struct Program {
    executable: PathBuf,
    script: Option<PathBuf>,
}

impl Program {
    fn executable(executable: PathBuf) -> Self {
        Self { executable, script: None }
    }
}

impl Programs {
    pub(super) fn client(&self) -> Command {
        self.command(&self.client)
    }

    pub(super) fn server(&self) -> Command {
        self.command(&self.server)
    }

    fn command(&self, program: &Program) -> Command {
        let mut command = Command::new(&program.executable);
        command.args(&program.script).envs(self.environment.iter().map(|(key, value)| (key, value)));
        command.kill_on_drop(true);
        command
    }
}

/// Why a peer cannot play.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The machine lacks what the peer is built with. Its cells are skipped.
    #[error("this machine has no {0}")]
    NoToolchain(&'static str),
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

/// The folder of this package.
pub(super) fn interop() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder of everything that is installed or made at run time.
pub(super) fn peers() -> PathBuf {
    interop().join(".peers")
}

/// Makes a peer ready, or does nothing if it is ready already.
pub(super) async fn install(peer: Peer) -> Result<Programs, InstallError> {
    match peer {
        Peer::Thalweg => thalweg(),
        Peer::GrpcGo => grpc_go().await,
        Peer::Python => python().await,
    }
}

/// The programs that were built beside this one.
fn thalweg() -> Result<Programs, InstallError> {
    let this = env::current_exe().map_err(|source| InstallError::File { what: "this program".to_owned(), source })?;
    let built = |name: &str| {
        let program = this.with_file_name(format!("{name}{}", env::consts::EXE_SUFFIX));
        if program.is_file() { Ok(Program::executable(program)) } else { Err(InstallError::NotBuilt(name.to_owned())) }
    };
    Ok(Programs { client: built("client")?, server: built("server")?, environment: Vec::new() })
}

async fn grpc_go() -> Result<Programs, InstallError> {
    let folder = peers().join(format!("grpc-go-{GRPC_GO}"));
    let [client, server] = ["client", "server"].map(|name| folder.join(name));
    if !(client.is_file() && server.is_file()) {
        needs("go", "version").await?;
        println!("installing grpc-go {GRPC_GO}");
        let packages = ["client", "server"].map(|name| format!("google.golang.org/grpc/interop/{name}@{GRPC_GO}"));
        run(Command::new("go").arg("install").args(packages).env("GOBIN", &folder)).await?;
    }
    let [client, server] = [client, server].map(Program::executable);
    Ok(Programs { client, server, environment: Vec::new() })
}

async fn python() -> Result<Programs, InstallError> {
    let ours = interop().join("peers/python");
    let venv = peers().join("python");
    let interpreter = venv.join("bin/python");
    let (wanted, installed) = (ours.join("requirements.txt"), venv.join("requirements.txt"));
    if read(&installed).ok() != Some(read(&wanted)?) {
        needs("python3", "--version").await?;
        println!("installing grpcio");
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv)).await?;
        run(Command::new(&interpreter).args(["-m", "pip", "install", "--quiet", "-r"]).arg(&wanted)).await?;
        fs::copy(&wanted, &installed).map_err(|source| file(&installed, source))?;
    }
    let stubs = generate(&interpreter).await?;
    let program = |name| Program { executable: interpreter.clone(), script: Some(ours.join(name)) };
    let environment = vec![("PYTHONPATH", stubs), ("PYTHONDONTWRITEBYTECODE", PathBuf::from("1"))];
    Ok(Programs { client: program("client.py"), server: program("server.py"), environment })
}

/// Generates python's stubs from the `.proto` files that ours come from.
async fn generate(interpreter: &Path) -> Result<PathBuf, InstallError> {
    let (stubs, protos) = (peers().join("stubs"), interop().join("../crates/proto/proto"));
    fs::create_dir_all(&stubs).map_err(|source| file(&stubs, source))?;
    let mut command = Command::new(interpreter);
    command.current_dir(protos).args(["-m", "grpc_tools.protoc", "-I."]);
    for option in ["--python_out", "--grpc_python_out"] {
        command.arg(option).arg(&stubs);
    }
    command.args(["empty", "messages", "test"].map(|name| format!("grpc/testing/{name}.proto")));
    run(&mut command).await?;
    Ok(stubs)
}

/// Fails with [`InstallError::NoToolchain`] unless the program starts.
async fn needs(program: &'static str, version: &str) -> Result<(), InstallError> {
    let started = Command::new(program).arg(version).stdout(Stdio::null()).stderr(Stdio::null()).status().await;
    match started {
        Ok(status) if status.success() => Ok(()),
        _ => Err(InstallError::NoToolchain(program)),
    }
}

async fn run(command: &mut Command) -> Result<(), InstallError> {
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

fn read(path: &Path) -> Result<String, InstallError> {
    fs::read_to_string(path).map_err(|source| file(path, source))
}

fn file(path: &Path, source: io::Error) -> InstallError {
    InstallError::File { what: path.display().to_string(), source }
}
