//! The matrix: every case, between thalweg and each peer, both ways, in plaintext and under TLS.

pub use options::MatrixOptions;
pub use run::{MatrixError, run};

mod run;

mod install;
mod plan;
mod process;
mod report;

mod cases;
mod options;

mod peer;
