//! What a case may assert, and how it says that an assertion failed.

use std::fmt::Debug;

use thalweg_proto::interop::Payload;
use tonic::{Code, Status};

/// What a case found wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: expected {expected}, got {got}")]
pub struct Failure {
    /// The call or the part of it that was looked at.
    pub what: String,
    /// What the description prescribes.
    pub expected: String,
    /// What was found.
    pub got: String,
}

impl Failure {
    pub(super) fn new(what: impl Into<String>, expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self { what: what.into(), expected: expected.into(), got: got.into() }
    }
}

/// Fails unless `got` equals `expected`.
pub(super) fn same<T: Debug + PartialEq + ?Sized>(what: &str, expected: &T, got: &T) -> Result<(), Failure> {
    if expected == got { Ok(()) } else { Err(Failure::new(what, format!("{expected:?}"), format!("{got:?}"))) }
}

/// What a call answered; fails if it ended with an error.
pub(super) fn answered<T>(what: &str, outcome: Result<T, Status>) -> Result<T, Failure> {
    outcome.map_err(|status| Failure::new(what, "an answer", described(&status)))
}

/// What a stream answered next; fails if it has ended.
pub(super) fn answered_next<T>(what: &str, outcome: Result<Option<T>, Status>) -> Result<T, Failure> {
    answered(what, outcome)?.ok_or_else(|| Failure::new(what, "a response", "the end of the stream"))
}

/// Fails unless a stream has ended with OK.
pub(super) fn ended<T: Debug>(what: &str, outcome: Result<Option<T>, Status>) -> Result<(), Failure> {
    match answered(what, outcome)? {
        None => Ok(()),
        Some(_) => Err(Failure::new(what, "the end of the stream", "one more response")),
    }
}

/// The status of a call that must end with `code`.
pub(super) fn failed<T>(what: &str, code: Code, outcome: Result<T, Status>) -> Result<Status, Failure> {
    match outcome {
        Err(status) if status.code() == code => Ok(status),
        Err(status) => Err(Failure::new(what, format!("{code:?}"), described(&status))),
        Ok(_) => Err(Failure::new(what, format!("{code:?}"), "an answer")),
    }
}

/// Fails unless a payload is `size` zeros.
pub(super) fn zeros(what: &str, size: usize, payload: Option<Payload>) -> Result<(), Failure> {
    let body = payload.unwrap_or_default().body;
    same(&format!("{what}, bytes of payload"), &size, &body.len())?;
    let others = body.iter().filter(|byte| **byte != 0).count();
    same(&format!("{what}, bytes of payload that are not zero"), &0, &others)
}

fn described(status: &Status) -> String {
    format!("{:?} {:?}", status.code(), status.message())
}
