//! `thalweg-bench`: thalweg side by side with its peers.
//!
//! A benchmark is a subcommand. It starts this same program as its clients and servers, through the hidden subcommands
//! `client` and `server`, so that every figure comes from a process of its own. See the README for how to read a report.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::runtime::{Builder, Runtime};

use crate::{
    benchmark::{Benchmark, LoadArgs, Outcome, RunArgs},
    clients::ClientArgs,
    error::Error,
    memory::MemoryArgs,
    pick::PickArgs,
    servers::ServerArgs,
};

mod connections;
mod memory;
mod pick;
mod streams;
mod unary;
mod wire;

mod benchmark;

mod report;

mod harness;

mod clients;
mod servers;

mod footprint;

mod load;
mod protocol;
mod tls;

mod bar;
mod cpu;
mod resident;

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
    Unary(LoadArgs),
    /// Below the stub: thalweg's channel by hand beside the `h2` crate, and big messages.
    Wire(LoadArgs),
    /// Messages on streams that stay open.
    Streams(LoadArgs),
    /// Several connections to a server that allows few calls on each.
    Connections(LoadArgs),
    /// Memory of open calls and idle connections, and after many calls.
    Memory(MemoryArgs),
    /// Load-balancing policies, without a connection: picks, and what keeps them up to date.
    Pick(PickArgs),
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
        Command::Unary(args) => measure(Benchmark::of_load("unary", &args, unary::cells), &args.run),
        Command::Wire(args) => measure(Benchmark::of_load("wire", &args, wire::cells), &args.run),
        Command::Streams(args) => measure(Benchmark::of_load("streams", &args, streams::cells), &args.run),
        Command::Connections(args) => measure(Benchmark::of_load("connections", &args, connections::cells), &args.run),
        Command::Memory(args) => measure(args.benchmark(), &args.run),
        Command::Pick(args) => measure(args.benchmark()?, &args.run),
        Command::Client(args) => {
            end_with_standard_input();
            let sample = clients::run(&args, &threads(args.threads)?)?;
            println!("{}", serde_json::json!(sample));
            Ok(Outcome::Fine)
        }
        Command::Server(args) => {
            end_with_standard_input();
            servers::run(args, &threads(args.threads)?, |announcement| {
                println!("{}", serde_json::json!(announcement))
            })?;
            Ok(Outcome::Fine)
        }
    }
}

fn measure(benchmark: Benchmark, args: &RunArgs) -> Result<Outcome, Error> {
    threads(1)?.block_on(benchmark.run(args))
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
