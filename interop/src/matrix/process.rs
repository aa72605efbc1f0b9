//! The processes of a cell: a server that listens, and a client that plays one case against it.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Stdio,
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
    pub(super) who: &'static str,
    how: String,
    output: String,
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

    fn log(&self, who: &'static str) -> PathBuf {
        self.0.join(format!("{who}.log"))
    }

    fn flag(&self, name: &str, file: &str) -> OsString {
        let mut flag = OsString::from(format!("--{name}="));
        flag.push(self.0.join(file));
        flag
    }

    fn server_flags(&self, security: Security) -> Vec<OsString> {
        match security {
            Security::Plaintext => Vec::new(),
            Security::Tls => vec![
                "--use_tls=true".into(),
                self.flag("tls_cert_file", "server.pem"),
                self.flag("tls_key_file", "server.key"),
            ],
        }
    }

    fn client_flags(&self, security: Security) -> Vec<OsString> {
        match security {
            Security::Plaintext => Vec::new(),
            Security::Tls => vec![
                "--use_tls=true".into(),
                "--use_test_ca=true".into(),
                "--server_host_override=foo.test.google.fr".into(),
                self.flag("ca_file", "ca.pem"),
            ],
        }
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
    pub(super) async fn start(mut command: Command, security: Security, folder: &Folder) -> Result<Self, Failed> {
        let log = folder.log("server");
        let port = free_port().await.map_err(|error| failed("server", format!("found no port: {error}"), &log))?;
        command.arg(format!("--port={port}")).args(folder.server_flags(security));
        let mut server = Self { process: Process::spawn("server", command, log)?, port };
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

    /// Says what the server has printed so far, in words that follow on a client's failure.
    pub(super) fn output(&self) -> String {
        match indented(&tail(&self.process.log)) {
            nothing if nothing.is_empty() => nothing,
            printed => format!("\n    and the server printed{printed}"),
        }
    }

    /// Lets a client play a case against the server.
    pub(super) async fn play(
        &self,
        mut client: Command,
        case: &str,
        args: &[String],
        security: Security,
        folder: &Folder,
    ) -> Result<(), Failed> {
        client.args(["--server_host=127.0.0.1", &format!("--server_port={}", self.port)]);
        client.arg(format!("--test_case={case}")).args(folder.client_flags(security)).args(args);
        let mut process = Process::spawn("client", client, folder.log("client"))?;
        match time::timeout(CASE, process.child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(process.failed(format!("ended with {status}"))),
            Ok(Err(error)) => Err(process.failed(format!("was lost: {error}"))),
            Err(_) => Err(process.failed(format!("did not end within {} s", CASE.as_secs()))),
        }
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

/// The last lines of a file; nothing if it cannot be read.
fn tail(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
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
