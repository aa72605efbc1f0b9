//! h2spec, a client that breaks the rules of RFC 7540 and RFC 7541 one by one and looks at what the server does.

use std::{collections::BTreeMap, fs, io};

use serde::Deserialize;
use tokio::process::Command;

use super::{Ended, Failed, Folder, Job, Off, Security, Site, Tool};

/// One of h2spec's suites.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Suite {
    name: String,
    /// How many cases it has, those that are off among them.
    cases: usize,
    /// The cases whose outcome does not count.
    #[serde(default)]
    off: Vec<Off>,
}

/// The file in which h2spec says what came of it.
const REPORT: &str = "h2spec.xml";

impl Job for Suite {
    fn tool(&self) -> Tool {
        Tool::H2spec
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn off(&self) -> &[Off] {
        &self.off
    }

    fn prepare(&self, folder: &Folder) -> io::Result<()> {
        fs::write(folder.path(REPORT), "")
    }

    fn server(&self, site: &Site<'_>, port: u16) -> Command {
        let mut server = site.folder.serving(site.thalweg.server.command(), port, site.security);
        server.arg("--answer_all=true");
        server
    }

    fn client(&self, site: &Site<'_>, port: u16) -> Command {
        let mut client = site.tool.command();
        client.args([&self.name, "--strict", "--host=127.0.0.1", &format!("--port={port}")]);
        client.arg("--junit-report").arg(site.folder.path(REPORT));
        if site.security == Security::Tls {
            client.args(["--tls", "--insecure"]);
        }
        client
    }

    fn judge(&self, site: &Site<'_>, ended: &Ended) -> Result<(), Failed> {
        let report = fs::read_to_string(site.folder.path(REPORT)).unwrap_or_default();
        let outcomes = read(&report).map_err(|error| ended.failed(format!("wrote no report: {error}")))?;
        if outcomes.len() != self.cases {
            return Err(ended.failed(format!("ran {} cases instead of {}", outcomes.len(), self.cases)));
        }
        let counts = |outcome: &&Outcome| self.off.iter().all(|off| off.case != outcome.case);
        let faults: Vec<_> = outcomes.iter().filter(counts).filter_map(Outcome::fault).collect();
        if faults.is_empty() { Ok(()) } else { Err(ended.failed(format!("found faults:{}", faults.concat()))) }
    }
}

/// What came of a case.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    /// The section and the number in it, as h2spec takes them on its command line.
    pub(super) case: String,
    title: String,
    /// What it says unless the case passed.
    pub(super) complaint: Option<String>,
}

impl Outcome {
    /// The complaint as it is printed below the cell; nothing if the case passed.
    pub(super) fn fault(&self) -> Option<String> {
        let complaint = self.complaint.as_ref()?.trim().replace('\n', "\n        ");
        Some(format!("\n      {} {}\n        {complaint}", self.case, self.title))
    }
}

/// Reads a report in JUnit's XML.
pub(super) fn read(report: &str) -> Result<Vec<Outcome>, roxmltree::Error> {
    let document = roxmltree::Document::parse(report)?;
    let mut numbers = BTreeMap::<_, usize>::new();
    let cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
    let outcomes = cases.map(|node| {
        let section = node.attribute("package").unwrap_or_default();
        let number = numbers.entry(section).or_default();
        *number += 1;
        let complaint = node.children().find(roxmltree::Node::is_element);
        Outcome {
            case: format!("{section}/{number}"),
            title: node.attribute("classname").unwrap_or_default().to_owned(),
            complaint: complaint.map(|node| node.text().unwrap_or_else(|| node.tag_name().name()).to_owned()),
        }
    });
    Ok(outcomes.collect())
}
