//! The matrix: every case, between thalweg and each peer, both ways, in plaintext and under TLS; and what tools that know
//! only HTTP/2 make of thalweg.

pub use options::MatrixOptions;
pub use run::{MatrixError, run};

mod run;

mod tools;

mod install;
mod plan;
mod process;
mod report;

mod cases;
mod options;

mod peer;
