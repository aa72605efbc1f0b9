//! The matrix of cases and peers; `interop/run` starts it.

use std::process::ExitCode;

use clap::Parser;
use thalweg_interop::matrix::{self, MatrixOptions};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> ExitCode {
    let options = MatrixOptions::parse();
    // Dropping the run kills the processes it started.
    tokio::select! {
        outcome = matrix::run(&options) => match outcome {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        },
        () = interrupted() => {
            eprintln!("interrupted");
            ExitCode::from(130)
        }
    }
}

/// Resolves when the process is asked to end.
async fn interrupted() {
    let asked = |kind| async move {
        match signal(kind) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = asked(SignalKind::interrupt()) => {}
        _ = asked(SignalKind::terminate()) => {}
        _ = asked(SignalKind::hangup()) => {}
    }
}
