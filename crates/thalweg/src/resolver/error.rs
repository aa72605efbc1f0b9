//! Why a name did not resolve.

use std::sync::Arc;

use thiserror::Error;

/// Why a name did not resolve, in the words that end up in a call's error.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// The name system answered that there is no such name.
    #[error("no such host: {host}")]
    NotFound {
        /// The host that was looked up.
        host: Arc<str>,
    },
    /// The name system did not answer, or with an error.
    #[error("looking up {host}: {reason}")]
    Lookup {
        /// The host that was looked up.
        host: Arc<str>,
        /// What went wrong.
        reason: Arc<str>,
    },
    /// A resolver of the application's own failed.
    #[error("{0}")]
    Other(Arc<str>),
}
