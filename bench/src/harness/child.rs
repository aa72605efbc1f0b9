//! The processes that a benchmark starts: this same program under its hidden subcommands.
//!
//! A child ends when the harness does, however that ends: it is killed when its handle is dropped, and it watches its
//! standard input, which closes with the harness.

use std::{
    env,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

use crate::{
    clients::{ClientArgs, Target},
    error::Error,
    sample::Sample,
    servers::{Announcement, ServerArgs},
};

/// How long a child may take beyond what it was told to take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running server process.
#[derive(Debug)]
pub(super) struct Server {
    args: ServerArgs,
    announced: Announcement,
    pid: u32,
    /// Kills the process when dropped.
    _process: Child,
}

impl Server {
    /// The running server if it is the wanted one, else a fresh one in its place.
    pub(super) async fn ready_for(running: Option<Self>, wanted: Option<ServerArgs>) -> Result<Option<Self>, Error> {
        match (running, wanted) {
            (running, None) => Ok(running),
            (Some(running), Some(wanted)) if running.args == wanted => Ok(Some(running)),
            (_, Some(wanted)) => Self::start(wanted).await.map(Some),
        }
    }

    async fn start(args: ServerArgs) -> Result<Self, Error> {
        let line = args.to_command_line();
        let role = line.join(" ");
        let mut process = spawn(&line)?;
        let mut announced = String::new();
        if let Some(stdout) = process.stdout.take() {
            let mut stdout = BufReader::new(stdout);
            within(PATIENCE, &role, stdout.read_line(&mut announced)).await?;
        }
        let announced = serde_json::from_str(&announced)
            .map_err(|error| problem(&role, format!("announced {announced:?}: {error}")))?;
        let pid = process.id().ok_or_else(|| problem(&role, "ended at once"))?;
        Ok(Self { args, announced, pid, _process: process })
    }

    fn target(&self) -> Target {
        let Announcement { address, certificate } = self.announced.clone();
        Target { server: Some(address), server_pid: Some(self.pid), trust: certificate }
    }
}

/// Runs a client process against a server and returns what it measured.
pub(super) async fn run_client(args: &ClientArgs, server: Option<&Server>) -> Result<Sample, Error> {
    let args = ClientArgs { target: server.map(Server::target).unwrap_or_default(), ..args.clone() };
    let role = args.to_string();
    let mut process = spawn(&args.to_command_line())?;
    let allowed = PATIENCE + args.longest();
    let mut output = String::new();
    if let Some(mut stdout) = process.stdout.take() {
        within(allowed, &role, stdout.read_to_string(&mut output)).await?;
    }
    let status: ExitStatus = within(PATIENCE, &role, process.wait()).await?;
    if !status.success() {
        return Err(problem(&role, format!("ended with {status}")));
    }
    serde_json::from_str(&output).map_err(|error| problem(&role, format!("printed {output:?}: {error}")))
}

fn spawn(arguments: &[String]) -> Result<Child, Error> {
    let program = env::current_exe().map_err(Error::io("find this program"))?;
    Command::new(&program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(Error::io(format!("start {}", program.display())))
}

async fn within<T>(allowed: Duration, role: &str, doing: impl Future<Output = std::io::Result<T>>) -> Result<T, Error> {
    match timeout(allowed, doing).await {
        Ok(done) => done.map_err(Error::io(role)),
        Err(_) => Err(problem(role, format!("took more than {allowed:?}"))),
    }
}

fn problem(role: &str, problem: impl Into<String>) -> Error {
    Error::Child { role: role.to_owned(), problem: problem.into() }
}
