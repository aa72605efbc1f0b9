//! nghttp, a client that pads, prioritizes and continues, and prints every frame it gets.

use std::io;

use serde::Deserialize;
use tokio::process::Command;

use super::{Ended, Failed, Folder, Job, Site, Tool, calls::Calls};

/// One call over and over on one connection.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Repeat(Calls);

impl Job for Repeat {
    fn tool(&self) -> Tool {
        Tool::Nghttp
    }

    fn name(&self) -> &str {
        &self.0.name
    }

    fn prepare(&self, folder: &Folder) -> io::Result<()> {
        self.0.prepare(folder)
    }

    fn server(&self, site: &Site<'_>, port: u16) -> Command {
        self.0.server(site, port)
    }

    fn client(&self, site: &Site<'_>, port: u16) -> Command {
        let mut client = self.0.client(site, port);
        client.args(["--null-out", "--verbose", "--no-verify-peer", &format!("--multiply={}", self.0.calls)]);
        client
    }

    fn judge(&self, _: &Site<'_>, ended: &Ended) -> Result<(), Failed> {
        ended.succeeded()?;
        let (calls, output) = (self.0.calls, ended.output());
        let received = Received::read(&output);
        let expected = Received { answers: calls, statuses: calls, bytes: self.0.bytes() };
        if received == expected {
            return Ok(());
        }
        Err(ended.failed(format!("received {received:?} instead of {expected:?}")))
    }
}

/// What nghttp says that it received.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Received {
    /// How often HTTP's status 200.
    pub(super) answers: usize,
    /// How often gRPC's status OK.
    pub(super) statuses: usize,
    /// How many bytes in DATA frames.
    pub(super) bytes: usize,
}

impl Received {
    /// Counts the lines, which look like `[  0.001] recv DATA frame <length=7, flags=0x00, stream_id=13>`.
    pub(super) fn read(output: &str) -> Self {
        let mut received = Self::default();
        for line in output.lines().filter_map(|line| line.split_once(" recv ")).map(|(_, line)| line) {
            received.answers += usize::from(line.ends_with(" :status: 200"));
            received.statuses += usize::from(line.ends_with(" grpc-status: 0"));
            let length = line.strip_prefix("DATA frame <length=").and_then(|rest| rest.split(',').next());
            received.bytes += length.and_then(|length| length.parse::<usize>().ok()).unwrap_or_default();
        }
        received
    }
}
