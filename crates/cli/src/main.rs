//! The `thalweg` command.

mod demo;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Tools around thalweg, a gRPC runtime for Rust.
#[derive(Parser, Debug)]
#[command(name = "thalweg", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Demo(demo::Options),
}

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Demo(options) => demo::run(&options).await,
    }
}
