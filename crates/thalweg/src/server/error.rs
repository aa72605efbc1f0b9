//! Why a server could not be set up.

use std::{io, sync::Arc};

use thiserror::Error;

use crate::{error::connect::describe_io, transport::options::OptionError};

/// Why a server could not be set up; the text names the piece that is wrong.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The address to listen on cannot be one.
    #[error("cannot listen on {address:?}: {reason}")]
    Address {
        /// As it was given.
        address: String,
        /// What is wrong with it.
        reason: Arc<str>,
    },
    /// The system refused to listen there.
    #[error("cannot listen on {address}: {reason}")]
    Bind {
        /// Where.
        address: String,
        /// The kind of failure.
        kind: io::ErrorKind,
        /// In words.
        reason: Arc<str>,
    },
    /// There is nothing to listen on.
    #[error("the server has no listener")]
    NoListener,
    /// Two services have the same name.
    #[error("two services are named {0:?}")]
    DuplicateService(String),
    /// An option of HTTP/2 is out of range.
    #[error(transparent)]
    Option(#[from] OptionError),
}

impl ServerError {
    pub(super) fn bind(address: &str, error: &io::Error) -> Self {
        Self::Bind { address: address.to_owned(), kind: error.kind(), reason: describe_io(error).into() }
    }
}
