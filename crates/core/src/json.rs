//! Errors in JSON configuration, named by path.

use thiserror::Error;

/// What is wrong with a configuration, and where.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{path}: {reason}")]
pub struct ConfigError {
    /// The JSON path of the wrong value: `$.methodConfig[0].timeout`.
    pub path: String,
    /// Why it is wrong.
    pub reason: String,
}
