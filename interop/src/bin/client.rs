//! gRPC's interoperability client on thalweg.

use std::process::ExitCode;

use clap::Parser;
use thalweg_interop::client::{self, ClientOptions};

#[tokio::main]
async fn main() -> ExitCode {
    let options = ClientOptions::parse();
    let case = options.test_case.clone();
    match client::run(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{case}: {failure}");
            ExitCode::FAILURE
        }
    }
}
