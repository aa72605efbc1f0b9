//! The cells in which a tool that knows only HTTP/2 takes the place of a peer (`tools.toml`).

mod h2load;
mod h2spec;
mod nghttp;
mod nghttpd;

mod calls;

#[cfg(test)]
mod tests;

use std::{fmt, io, time::Instant};

use serde::Deserialize;
use tokio::process::Command;

use super::{
    install::{InstallError, Program, Programs},
    options::Only,
    peer::{Cell, Peer, Security, Tool},
    plan,
    process::{Ended, Failed, Folder, Server},
    report::Report,
};

/// What each tool is to do.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Jobs {
    h2spec: Vec<h2spec::Suite>,
    h2load: Vec<h2load::Load>,
    nghttp: Vec<nghttp::Repeat>,
    nghttpd: Vec<nghttpd::Files>,
}

/// Reads the jobs.
pub(super) fn parse(text: &str) -> Result<Jobs, toml::de::Error> {
    toml::from_str(text)
}

impl Jobs {
    fn all(&self) -> impl Iterator<Item = &dyn Job> {
        any(&self.h2spec).chain(any(&self.h2load)).chain(any(&self.nghttp)).chain(any(&self.nghttpd))
    }

    /// The names of all jobs.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.all().map(|job| job.name())
    }

    /// The jobs that the options select, each under one security.
    pub(super) fn plan(&self, only: &Only) -> Vec<Planned<'_>> {
        let planned = self.all().flat_map(|job| Security::ALL.map(|security| Planned { job, security }));
        planned.filter(|planned| plan::selects(only, planned.cell(planned.job.name()))).collect()
    }
}

fn any<J: Job>(jobs: &[J]) -> impl Iterator<Item = &dyn Job> {
    jobs.iter().map(|job| job as &dyn Job)
}

/// A part of a job that is left out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Off {
    case: String,
    reason: String,
}

/// Where a job runs.
#[derive(Debug)]
struct Site<'a> {
    tool: &'a Program,
    thalweg: &'a Programs,
    folder: &'a Folder,
    security: Security,
}

/// What a tool does in one cell: it is the client of thalweg's server, or the server of thalweg's client.
trait Job: fmt::Debug {
    fn tool(&self) -> Tool;

    fn name(&self) -> &str;

    /// The parts that are left out, each a cell of its own.
    fn off(&self) -> &[Off] {
        &[]
    }

    /// Makes the files that the job needs.
    fn prepare(&self, folder: &Folder) -> io::Result<()>;

    fn server(&self, site: &Site<'_>, port: u16) -> Command;

    fn client(&self, site: &Site<'_>, port: u16) -> Command;

    /// Decides from what the client left behind.
    fn judge(&self, site: &Site<'_>, ended: &Ended) -> Result<(), Failed>;
}

/// A job under one security.
#[derive(Debug)]
pub(super) struct Planned<'a> {
    job: &'a dyn Job,
    security: Security,
}

impl Planned<'_> {
    pub(super) fn tool(&self) -> Tool {
        self.job.tool()
    }

    /// How many cells of the matrix this makes.
    pub(super) fn cells(&self) -> usize {
        1 + self.job.off().len()
    }

    fn cell<'a>(&self, case: &'a str) -> Cell<'a> {
        let (tool, thalweg) = (self.tool().name(), Peer::Thalweg.name());
        let (client, server) = if self.tool() == Tool::Nghttpd { (thalweg, tool) } else { (tool, thalweg) };
        Cell { client, server, security: self.security, case }
    }

    /// Reports that the machine lacks the tool.
    pub(super) fn skip(&self, missing: &InstallError, report: &mut Report) {
        report.skipped(self.cell(self.job.name()), missing);
        self.job.off().iter().for_each(|off| report.skipped(self.cell(&off.case), missing));
    }

    /// Runs the job and reports on it.
    pub(super) async fn run(&self, tool: &Program, thalweg: &Programs, folder: &Folder, report: &mut Report) {
        let (cell, start) = (self.cell(self.job.name()), Instant::now());
        match self.play(&Site { tool, thalweg, folder, security: self.security }).await {
            Ok(()) => report.passed(cell, start.elapsed()),
            Err(failed) => report.failed(cell, failed),
        }
        self.job.off().iter().for_each(|off| report.skipped(self.cell(&off.case), &off.reason));
    }

    async fn play(&self, site: &Site<'_>) -> Result<(), Failed> {
        self.job.prepare(site.folder).map_err(|error| Failed::unprepared(&error))?;
        let server = Server::start(site.folder, |port| self.job.server(site, port)).await?;
        let ended = server.play(site.folder, |port| self.job.client(site, port)).await;
        let judged = ended.and_then(|ended| self.job.judge(site, &ended));
        judged.map_err(|failed| failed.beside(&server))
    }
}
