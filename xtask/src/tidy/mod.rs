//! `cargo xtask tidy`: the house rules that a machine can check, each with its reason.

use std::{fmt, io, path::Path, process::Command};

use self::source::Source;

mod borders;
mod code;
mod docs;
mod layers;
mod manifests;
mod mask;
mod names;
mod paths;
mod shape;
mod source;
#[cfg(test)]
mod tests;

/// A rule that looks at one file at a time.
struct Rule {
    /// What a finding calls it.
    name: &'static str,
    /// Why the rule exists, printed with every finding.
    why: &'static str,
    /// Every place where the file breaks it.
    find: fn(&Source) -> Vec<Spot>,
}

/// A place that breaks a rule.
#[derive(PartialEq, Eq, Debug)]
struct Spot {
    /// Counted from 1.
    line: usize,
    /// What is there.
    what: String,
}

impl Spot {
    fn new(line: usize, what: impl Into<String>) -> Self {
        Self { line, what: what.into() }
    }
}

/// A broken rule, printed as `path:line: rule: what (why)`.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Finding {
    path: String,
    spot: Spot,
    rule: &'static str,
    why: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, spot, rule, why } = self;
        write!(f, "{path}:{}: {rule}: {} ({why})", spot.line, spot.what)
    }
}

/// Why the workspace is not tidy.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Rules are broken.
    #[error("{}\ntidy: {} findings", .0.iter().map(Finding::to_string).collect::<Vec<_>>().join("\n"), .0.len())]
    Untidy(Vec<Finding>),
    /// A command could not be started.
    #[error("{command}: {source}")]
    Start {
        /// The command line.
        command: String,
        /// What the system says.
        source: io::Error,
    },
    /// A command failed.
    #[error("{command}: {stderr}")]
    Failed {
        /// The command line.
        command: String,
        /// What it printed.
        stderr: String,
    },
    /// A command printed something that is not what it promises.
    #[error("cargo metadata: {0}")]
    Metadata(#[from] serde_json::Error),
}

/// Checks every rule on the whole workspace.
pub(crate) fn check(root: &Path) -> Result<(), Error> {
    let sources = source::read_all(root)?;
    let mut findings: Vec<Finding> = sources.iter().flat_map(inspect).collect();
    findings.extend(layers::check(&sources));
    findings.extend(docs::check(&sources));
    findings.extend(manifests::check(root)?);
    if findings.is_empty() { Ok(()) } else { Err(Error::Untidy(findings)) }
}

/// Prints what is near a limit, which breaks no rule.
pub(crate) fn list_soft_limits(root: &Path) -> Result<(), Error> {
    for source in source::read_all(root)? {
        apply(&shape::SOFT_LENGTH, &source).iter().for_each(|finding| println!("{finding}"));
    }
    Ok(())
}

/// Applies every per-file rule to one file.
fn inspect(source: &Source) -> Vec<Finding> {
    let groups: [&[Rule]; 4] = [&shape::RULES, &names::RULES, &code::RULES, &borders::RULES];
    groups.into_iter().flatten().flat_map(|rule| apply(rule, source)).collect()
}

fn apply(rule: &Rule, source: &Source) -> Vec<Finding> {
    let finding = |spot| Finding { path: source.path.clone(), spot, rule: rule.name, why: rule.why };
    (rule.find)(source).into_iter().map(finding).collect()
}

/// What a command prints when it succeeds.
fn output(root: &Path, program: &str, arguments: &[&str]) -> Result<String, Error> {
    let command = || format!("{program} {}", arguments.join(" "));
    let run = Command::new(program).args(arguments).current_dir(root).output();
    let run = run.map_err(|source| Error::Start { command: command(), source })?;
    if run.status.success() {
        Ok(String::from_utf8_lossy(&run.stdout).into_owned())
    } else {
        let stderr = String::from_utf8_lossy(&run.stderr).trim().to_owned();
        Err(Error::Failed { command: command(), stderr })
    }
}
