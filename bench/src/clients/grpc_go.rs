//! grpc-go's own policies, measured by a program of its own: `peers/go`.

use std::{env, path::PathBuf, process::Command};

use serde_json::Value;

use super::{ClientArgs, policy};
use crate::{error::Error, sample::Sample};

/// Where the program's source lies.
const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/go");

/// What grpc-go calls a policy, if it has the same and its public API can drive it.
pub(crate) fn name_of(policy: &str) -> Option<&'static str> {
    Some(match policy {
        "least_request" => "least_request_experimental",
        "pick_first" => "pick_first",
        "random_subsetting" => "random_subsetting_experimental",
        "ring_hash" => "ring_hash_experimental",
        "round_robin" => "round_robin",
        _ => return None,
    })
}

/// Builds the program.
///
/// # Errors
///
/// There is no Go, or it can't build it.
pub(crate) fn build() -> Result<(), Error> {
    let mut go = Command::new("go");
    go.current_dir(SOURCE).args(["build", "-o"]).arg(program()?).arg(".");
    let status = go.status().map_err(Error::io("start go"))?;
    if status.success() { Ok(()) } else { Err(problem(format!("`go build` ended with {status}"))) }
}

/// Measures what the program is to measure.
///
/// # Errors
///
/// grpc-go has no such policy, or the program fails.
pub(super) fn run(args: &ClientArgs, work: &str) -> Result<Sample, Error> {
    let name = name_of(&args.policy).ok_or_else(|| Error::NoSuchPolicy(args.policy.clone()))?;
    let config: Value = policy::config(&args.policy);
    let mut peer = Command::new(program()?);
    let numbers = [("endpoints", args.concurrency.to_string()), ("threads", args.threads.to_string())];
    let texts = [("policy", name.to_owned()), ("config", config.to_string()), ("work", work.to_owned())];
    for (option, value) in numbers.into_iter().chain(texts).chain([("seconds", args.seconds.to_string())]) {
        peer.arg(format!("--{option}={value}"));
    }
    let output = peer.output().map_err(Error::io("start grpc-go's measurement"))?;
    if !output.status.success() {
        return Err(problem(String::from_utf8_lossy(&output.stderr).trim()));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| problem(error.to_string()))
}

/// Beside this program.
fn program() -> Result<PathBuf, Error> {
    Ok(env::current_exe().map_err(Error::io("find this program"))?.with_file_name("thalweg-bench-peer-go"))
}

fn problem(problem: impl Into<String>) -> Error {
    Error::Child { role: "grpc-go".to_owned(), problem: problem.into() }
}
