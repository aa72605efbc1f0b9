//! The processes of a cell: a server that listens, and a client that plays one case against it.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    time,
};

use super::peer::Security;
use crate::certs::{self, CertsError};

/// How long a server may take to listen.
const START: Duration = Duration::from_secs(20);
/// How long to wait between two looks at whether it does.
const LOOK: Duration = Duration::from_millis(20);
/// How long a client may take for its case.
const CASE: Duration = Duration::from_secs(30);
/// How many lines at the end of a log are shown.
const TAIL: usize = 40;

/// How a process failed, and what it printed before.
#[derive(Debug, thiserror::Error)]
#[error("the {who} {how}{}", indented(.output))]
pub(super) struct Failed {
    who: &'static str,
    how: String,
    output: String,
}

impl Failed {
    /// No process failed: a file that one was to find could not be written.
    pub(super) fn unprepared(error: &io::Error) -> Self {
        Self { who: "matrix", how: format!("could not write a file: {error}"), output: String::new() }
    }

    /// Adds what the server has printed so far to a client's failure.
    pub(super) fn beside(mut self, server: &Server) -> Self {
        let printed = tail(&server.process.log);
        if !printed.is_empty() {
            self.output = format!("{}\nand the server printed\n{printed}", self.output);
        }
        self
    }
}

/// Where the files of a run are: certificates made for it, and what its processes print.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes the folder, with fresh certificates.
    pub(super) fn new(path: PathBuf) -> Result<Self, CertsError> {
        certs::write(&path)?;
        Ok(Self(path))
    }

    /// The place of a file in the folder.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Gives a server the flags that gRPC's interoperability servers share.
    pub(super) fn serving(&self, mut server: Command, port: u16, security: Security) -> Command {
        server.arg(format!("--port={port}"));
        if security == Security::Tls {
            server.arg("--use_tls=true");
            server.args([self.flag("tls_cert_file", "server.pem"), self.flag("tls_key_file", "server.key")]);
        }
        server
    }

    /// Gives a client the flags that gRPC's interoperability clients share.
    pub(super) fn calling(&self, mut client: Command, port: u16, security: Security, case: &str) -> Command {
        client.args(["--server_host=127.0.0.1", &format!("--server_port={port}"), &format!("--test_case={case}")]);
        if security == Security::Tls {
            client.args(["--use_tls=true", "--use_test_ca=true", "--server_host_override=foo.test.google.fr"]);
            client.arg(self.flag("ca_file", "ca.pem"));
        }
        client
    }

    fn flag(&self, name: &str, file: &str) -> OsString {
        let mut flag = OsString::from(format!("--{name}="));
        flag.push(self.path(file));
        flag
    }

    fn log(&self, who: &'static str) -> PathBuf {
        self.path(&format!("{who}.log"))
    }
}

/// A server that is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Server {
    process: Process,
    port: u16,
}

impl Server {
    /// Starts a server on a free port and waits until it listens.
    pub(super) async fn start(folder: &Folder, command: impl FnOnce(u16) -> Command) -> Result<Self, Failed> {
        let log = folder.log("server");
        let port = free_port().await.map_err(|error| failed("server", format!("found no port: {error}"), &log))?;
        let mut server = Self { process: Process::spawn("server", command(port), log)?, port };
        match time::timeout(START, server.listening()).await {
            Ok(listening) => listening?,
            Err(_) => return Err(server.process.failed(format!("does not listen after {} s", START.as_secs()))),
        }
        Ok(server)
    }

    async fn listening(&mut self) -> Result<(), Failed> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        while TcpStream::connect(address).await.is_err() {
            if let Ok(Some(status)) = self.process.child.try_wait() {
                return Err(self.process.failed(format!("did not start: {status}")));
            }
            time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// Lets a client play against the server, to its end.
    pub(super) async fn play(&self, folder: &Folder, client: impl FnOnce(u16) -> Command) -> Result<Ended, Failed> {
        let mut process = Process::spawn("client", client(self.port), folder.log("client"))?;
        match time::timeout(CASE, process.child.wait()).await {
            Ok(Ok(status)) => Ok(Ended { process, status }),
            Ok(Err(error)) => Err(process.failed(format!("was lost: {error}"))),
            Err(_) => Err(process.failed(format!("did not end within {} s", CASE.as_secs()))),
        }
    }
}

/// A client that has ended by itself.
#[derive(Debug)]
pub(super) struct Ended {
    process: Process,
    status: ExitStatus,
}

impl Ended {
    /// Fails unless the client says by its exit status that it succeeded.
    pub(super) fn succeeded(&self) -> Result<(), Failed> {
        if self.status.success() { Ok(()) } else { Err(self.failed(format!("ended with {}", self.status))) }
    }

    /// Everything that the client printed.
    pub(super) fn output(&self) -> String {
        text(&self.process.log)
    }

    /// The failure of a client whose output is not what it should be.
    pub(super) fn failed(&self, how: String) -> Failed {
        self.process.failed(how)
    }
}

/// A process whose output goes to a file.
#[derive(Debug)]
struct Process {
    who: &'static str,
    child: Child,
    log: PathBuf,
}

impl Process {
    fn spawn(who: &'static str, mut command: Command, log: PathBuf) -> Result<Self, Failed> {
        let spawned = File::create(&log).and_then(|output| {
            command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
            command.spawn()
        });
        match spawned {
            Ok(child) => Ok(Self { who, child, log }),
            Err(error) => Err(failed(who, format!("cannot be started: {error}"), &log)),
        }
    }

    fn failed(&self, how: String) -> Failed {
        failed(self.who, how, &self.log)
    }
}

fn failed(who: &'static str, how: String, log: &Path) -> Failed {
    Failed { who, how, output: tail(log) }
}

/// All of a file; nothing if it cannot be read.
fn text(log: &Path) -> String {
    fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// The last lines of a file; nothing if it cannot be read.
fn tail(log: &Path) -> String {
    let text = text(log);
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL)..].join("\n")
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("\n      {line}")).collect()
}

/// A port on which nobody listens now.
async fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?.local_addr()?.port())
}
