//! `thalweg-bench`: thalweg side by side with its peers.
//!
//! A benchmark is a subcommand. It starts this same program as its clients and servers, through the hidden subcommands
//! `client` and `server`, so that every figure comes from a process of its own. See the README for how to read a report.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::runtime::{Builder, Runtime};

use crate::{
    clients::ClientArgs,
    error::Error,
    servers::ServerArgs,
    unary::{Outcome, UnaryArgs},
};

mod unary;

mod report;

mod harness;

mod clients;
mod servers;

mod load;
mod wire;

mod bar;
mod cpu;

mod sample;
mod stats;

mod error;

/// Side-by-side benchmarks of thalweg and its peers.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Unary calls: tonic's and thalweg's clients and servers over one connection.
    Unary(UnaryArgs),
    /// A client process of a benchmark.
    #[command(hide = true)]
    Client(ClientArgs),
    /// A server process of a benchmark.
    #[command(hide = true)]
    Server(ServerArgs),
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::Short) => ExitCode::from(1),
        Ok(Outcome::Interrupted) => ExitCode::from(130),
        Err(error) => {
            eprintln!("thalweg-bench: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(command: Command) -> Result<Outcome, Error> {
    match command {
        Command::Unary(args) => {
            let runtime = Builder::new_current_thread().enable_all().build().map_err(Error::io("start a runtime"))?;
            runtime.block_on(unary::run(args))
        }
        Command::Client(args) => {
            end_with_standard_input();
            let sample = clients::run(&args, &threads(args.threads)?)?;
            println!("{}", serde_json::json!(sample));
            Ok(Outcome::Fine)
        }
        Command::Server(args) => {
            end_with_standard_input();
            servers::run(args, &threads(args.threads)?, |address| println!("{address}"))?;
            Ok(Outcome::Fine)
        }
    }
}

/// The runtime of a client or server: tokio's `current_thread` for one thread, its `multi_thread` for more.
fn threads(threads: usize) -> Result<Runtime, Error> {
    let mut builder = if threads == 1 { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    builder.worker_threads(threads).enable_all().build().map_err(Error::io("start a runtime"))
}

/// Ends this process when the one that started it is gone, however it went: its end of the pipe closes.
fn end_with_standard_input() {
    std::thread::spawn(|| {
        // An unreadable standard input says the same as a closed one.
        let _ended = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        std::process::exit(0);
    });
}
