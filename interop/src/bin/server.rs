//! gRPC's interoperability server on thalweg.

use std::process::ExitCode;

use clap::Parser;
use thalweg_interop::server::{self, ServerOptions};

#[tokio::main]
async fn main() -> ExitCode {
    match server::serve(&ServerOptions::parse(), interrupted()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Resolves on Ctrl-C; never, if it cannot be heard.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
