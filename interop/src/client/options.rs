//! The client's flags.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser};

/// The flags that gRPC's interoperability clients share.
#[derive(Clone, Debug, Parser)]
#[command(name = "client", about = "gRPC's interoperability client on thalweg")]
pub struct ClientOptions {
    /// The host to connect to, as a name or an address.
    #[arg(long = "server_host", default_value = "localhost", value_name = "HOST")]
    pub server_host: String,

    /// The port to connect to.
    #[arg(long = "server_port", default_value_t = 10_000, value_name = "PORT")]
    pub server_port: u16,

    /// The host to claim to be connecting to, in TLS and in `:authority`; empty for the host itself.
    #[arg(long = "server_host_override", default_value = "", value_name = "HOST")]
    pub server_host_override: String,

    /// The case to run.
    #[arg(long = "test_case", default_value = "large_unary", value_name = "CASE")]
    pub test_case: String,

    /// Whether the connection is encrypted.
    #[arg(long = "use_tls", num_args = 0..=1, default_value = "false", default_missing_value = "true",
        action = ArgAction::Set, value_name = "BOOLEAN")]
    pub use_tls: bool,

    /// Whether to trust the authority of `--ca_file` instead of the system's.
    #[arg(long = "use_test_ca", num_args = 0..=1, default_value = "false", default_missing_value = "true",
        action = ArgAction::Set, value_name = "BOOLEAN")]
    pub use_test_ca: bool,

    /// The certificate of the test authority, in PEM.
    #[arg(long = "ca_file", default_value = "interop/.peers/certs/ca.pem", value_name = "PATH")]
    pub ca_file: PathBuf,

    /// How the soak cases run.
    #[command(flatten)]
    pub soak: SoakOptions,
}

/// The flags of `rpc_soak` and `channel_soak`.
#[derive(Clone, Copy, Debug, Args)]
pub struct SoakOptions {
    /// How many calls to make.
    #[arg(long = "soak_iterations", default_value_t = 10, value_name = "COUNT")]
    pub soak_iterations: usize,

    /// How many of them may fail or be too slow.
    #[arg(long = "soak_max_failures", default_value_t = 0, value_name = "COUNT")]
    pub soak_max_failures: usize,

    /// How long one call may take, in milliseconds.
    #[arg(long = "soak_per_iteration_max_acceptable_latency_ms", default_value_t = 1_000, value_name = "MS")]
    pub soak_per_iteration_max_acceptable_latency_ms: u64,

    /// How long all calls may take together, in seconds.
    #[arg(long = "soak_overall_timeout_seconds", default_value_t = 10, value_name = "SECONDS")]
    pub soak_overall_timeout_seconds: u64,

    /// The least time from the start of a call to the start of the next, in milliseconds.
    #[arg(long = "soak_min_time_ms_between_rpcs", default_value_t = 0, value_name = "MS")]
    pub soak_min_time_ms_between_rpcs: u64,

    /// The payload of a request, in bytes.
    #[arg(long = "soak_request_size", default_value_t = 271_828, value_name = "BYTES")]
    pub soak_request_size: usize,

    /// The payload asked for in a response, in bytes.
    #[arg(long = "soak_response_size", default_value_t = 314_159, value_name = "BYTES")]
    pub soak_response_size: usize,

    /// How many threads call at the same time, each its share of the iterations.
    #[arg(long = "soak_num_threads", default_value_t = 1, value_name = "COUNT",
        value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    pub soak_num_threads: usize,
}
