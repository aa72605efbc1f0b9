//! The server's flags.

use std::path::PathBuf;

use clap::{ArgAction, Parser};

/// The flags that gRPC's interoperability servers share.
#[derive(Clone, Debug, Parser)]
#[command(name = "server", about = "gRPC's interoperability server on thalweg")]
pub struct ServerOptions {
    /// The port to listen on, on every address of this machine.
    #[arg(long, default_value_t = 10_000)]
    pub port: u16,

    /// Whether connections are encrypted.
    #[arg(long = "use_tls", num_args = 0..=1, default_value = "false", default_missing_value = "true",
        action = ArgAction::Set, value_name = "BOOLEAN")]
    pub use_tls: bool,

    /// The certificate chain, in PEM.
    #[arg(long = "tls_cert_file", default_value = "interop/.peers/certs/server.pem", value_name = "PATH")]
    pub tls_cert_file: PathBuf,

    /// The private key of the certificate, in PEM.
    #[arg(long = "tls_key_file", default_value = "interop/.peers/certs/server.key", value_name = "PATH")]
    pub tls_key_file: PathBuf,

    /// Whether requests for no service are answered too, with a message: what checks HTTP/2 asks for no method of gRPC's.
    #[arg(long = "answer_all", num_args = 0..=1, default_value = "false", default_missing_value = "true",
        action = ArgAction::Set, value_name = "BOOLEAN")]
    pub answer_all: bool,
}
