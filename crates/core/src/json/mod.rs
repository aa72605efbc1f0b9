//! JSON configuration, read by path: every rejection names the wrong value and why it is wrong (A21).
//!
//! [`parse`] makes a document of a text; [`Node`] walks it. Values follow protobuf's JSON mapping, as gRPC's service
//! config does: a field that is `null` counts as absent, and numbers may be written as strings.

mod node;
#[cfg(test)]
mod tests;

use serde_json::Value;
use thiserror::Error;

pub use self::node::{Node, Object};

/// What is wrong with a configuration, and where.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{path}: {reason}")]
pub struct ConfigError {
    /// The JSON path of the wrong value: `$.methodConfig[0].timeout`.
    pub path: String,
    /// Why it is wrong.
    pub reason: String,
}

impl ConfigError {
    /// The value at `path` is wrong for `reason`.
    #[must_use]
    pub fn new(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { path: path.into(), reason: reason.into() }
    }

    /// The same error in a document that holds this one at `prefix`: `$.a` under `$.x[0]` is `$.x[0].a`.
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        let below = self.path.strip_prefix('$').unwrap_or(&self.path);
        self.path = format!("{prefix}{below}");
        self
    }
}

/// Parses a JSON text.
///
/// # Errors
///
/// Where (line and column) the text stops being JSON, and why.
pub fn parse(text: &str) -> Result<Value, ConfigError> {
    serde_json::from_str(text).map_err(|error| ConfigError::new("$", format!("not JSON: {error}")))
}
