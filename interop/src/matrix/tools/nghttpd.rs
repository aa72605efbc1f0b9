//! nghttpd, a server of files: a file may hold a framed message, with gRPC's content-type by its extension and gRPC's
//! status as a trailer, or be nothing of the kind.

use std::{fs, io};

use serde::Deserialize;
use thalweg_proto::interop::SimpleResponse;
use tokio::process::Command;

use super::{Ended, Failed, Folder, Job, Security, Site, Tool};
use crate::{
    framing,
    payload::{self, FILE, LARGE_FILE},
};

/// What thalweg's client makes of the files.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Files {
    name: String,
    /// The client's case.
    case: String,
    /// nghttpd's flags.
    flags: Vec<String>,
}

/// The folder that is served.
const ROOT: &str = "www";
/// The table of content-types.
const TYPES: &str = "mime.types";

impl Job for Files {
    fn tool(&self) -> Tool {
        Tool::Nghttpd
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn prepare(&self, folder: &Folder) -> io::Result<()> {
        let files = folder.path(ROOT).join("files");
        fs::create_dir_all(&files)?;
        fs::write(files.join("message.grpc"), message(FILE))?;
        fs::write(files.join("large.grpc"), message(LARGE_FILE))?;
        fs::write(files.join("untyped"), message(FILE))?;
        fs::write(folder.path(TYPES), "application/grpc grpc\n")
    }

    fn server(&self, site: &Site<'_>, port: u16) -> Command {
        let (folder, mut server) = (site.folder, site.tool.command());
        server.arg("--htdocs").arg(folder.path(ROOT)).arg("--mime-types-file").arg(folder.path(TYPES));
        server.arg("--address=127.0.0.1").args(&self.flags);
        match site.security {
            Security::Plaintext => server.args(["--no-tls", &port.to_string()]),
            Security::Tls => {
                server.arg(port.to_string()).args(["server.key", "server.pem"].map(|name| folder.path(name)))
            }
        };
        server
    }

    fn client(&self, site: &Site<'_>, port: u16) -> Command {
        site.folder.calling(site.thalweg.client.command(), port, site.security, &self.case)
    }

    fn judge(&self, _: &Site<'_>, ended: &Ended) -> Result<(), Failed> {
        ended.succeeded()
    }
}

fn message(size: usize) -> bytes::Bytes {
    framing::frame(&SimpleResponse { payload: Some(payload::zeros(size)), ..Default::default() })
}
