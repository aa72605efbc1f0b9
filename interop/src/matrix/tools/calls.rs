//! Calls of UnaryCall by a client that knows no gRPC: the request is a file with one framed message.

use std::{fs, io};

use serde::Deserialize;
use thalweg_proto::interop::{SimpleRequest, SimpleResponse};
use tokio::process::Command;

use super::Site;
use crate::{
    framing,
    matrix::{peer::Security, process::Folder},
    payload,
};

/// How often to call, and how large the messages are.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Calls {
    pub(super) name: String,
    /// How many calls to make.
    pub(super) calls: usize,
    /// The payload of each request, in bytes.
    request: usize,
    /// The payload of each response, in bytes.
    response: usize,
    /// The tool's own flags.
    pub(super) flags: Vec<String>,
}

/// The file that holds the request.
const REQUEST: &str = "request.bin";

impl Calls {
    /// Writes the request.
    pub(super) fn prepare(&self, folder: &Folder) -> io::Result<()> {
        let message = SimpleRequest {
            response_size: payload::wire_size(self.response),
            payload: Some(payload::zeros(self.request)),
            ..Default::default()
        };
        fs::write(folder.path(REQUEST), framing::frame(&message))
    }

    /// How many bytes of DATA all responses together have.
    pub(super) fn bytes(&self) -> usize {
        let message = SimpleResponse { payload: Some(payload::zeros(self.response)), ..Default::default() };
        self.calls * framing::frame(&message).len()
    }

    pub(super) fn server(&self, site: &Site<'_>, port: u16) -> Command {
        site.folder.serving(site.thalweg.server.command(), port, site.security)
    }

    /// The tool with what the tools have in common: the request, gRPC's headers, and where it goes.
    pub(super) fn client(&self, site: &Site<'_>, port: u16) -> Command {
        let scheme = match site.security {
            Security::Plaintext => "http",
            Security::Tls => "https",
        };
        let mut tool = site.tool.command();
        tool.arg("--data").arg(site.folder.path(REQUEST));
        tool.args(["--header=content-type: application/grpc", "--header=te: trailers"]).args(&self.flags);
        tool.arg(format!("{scheme}://127.0.0.1:{port}/grpc.testing.TestService/UnaryCall"));
        tool
    }
}
