//! h2load, a client that makes many calls on few connections and counts what comes back.

use std::io;

use serde::Deserialize;
use tokio::process::Command;

use super::{Ended, Failed, Folder, Job, Site, Tool, calls::Calls};

/// Calls that must all succeed, with all their bytes.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Load(Calls);

impl Job for Load {
    fn tool(&self) -> Tool {
        Tool::H2load
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
        client.arg(format!("--requests={}", self.0.calls));
        client
    }

    fn judge(&self, _: &Site<'_>, ended: &Ended) -> Result<(), Failed> {
        ended.succeeded()?;
        let (output, calls, bytes) = (ended.output(), self.0.calls, self.0.bytes());
        let counted = [
            format!("{calls} done, {calls} succeeded, 0 failed, 0 errored, 0 timeout"),
            format!("status codes: {calls} 2xx, 0 3xx, 0 4xx, 0 5xx"),
            format!("({bytes}) data"),
        ];
        match counted.into_iter().find(|line| !output.contains(line)) {
            Some(missing) => Err(ended.failed(format!("did not count {missing:?}"))),
            None => Ok(()),
        }
    }
}
