//! `cargo xtask`: the chores of this repository, each a command.

use std::{
    env,
    fmt::Display,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

mod codegen;
mod tidy;

const HELP: &str = "\
cargo xtask COMMAND

  codegen            write crates/proto/src/gen from crates/proto/proto
  codegen --check    fail if what is checked in is not what the .proto files generate
  tidy               check the house rules that CONTRIBUTING.md explains
  tidy --verbose     the same, and list what is near a limit
  chaos [ARGUMENT..] backends that fail at random under load, and what callers see; `chaos --help` tells more
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = workspace_root();
    match arguments[..] {
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        ["codegen"] => report(codegen::write(&root)),
        ["codegen", "--check"] => report(codegen::check(&root)),
        ["tidy"] => report(tidy::check(&root)),
        ["tidy", "--verbose"] => report(tidy::list_soft_limits(&root).and_then(|()| tidy::check(&root))),
        ["chaos", ..] => chaos(&root, &arguments[1..]),
        _ => {
            eprintln!("unknown command: cargo xtask {}\n\n{HELP}", arguments.join(" "));
            ExitCode::from(2)
        }
    }
}

/// Builds and runs thalweg-chaos, which is no dependency of the other chores.
fn chaos(root: &Path, arguments: &[&str]) -> ExitCode {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let run = ["run", "--release", "--package", "thalweg-chaos", "--"];
    match Command::new(&cargo).current_dir(root).args(run).args(arguments).status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{}: {error}", cargo.display());
            ExitCode::FAILURE
        }
    }
}

fn report(outcome: Result<(), impl Display>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The folder that holds the workspace's `Cargo.toml`.
fn workspace_root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}
