//! Who plays, and how the connection between two players is secured.

use std::fmt;

use clap::ValueEnum;
use serde::Deserialize;

/// An implementation with an interoperability client and server.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Peer {
    Thalweg,
    GrpcGo,
    Python,
}

impl Peer {
    pub(super) const ALL: [Self; 3] = [Self::Thalweg, Self::GrpcGo, Self::Python];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Thalweg => "thalweg",
            Self::GrpcGo => "grpc-go",
            Self::Python => "python",
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Whether a connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Security {
    Plaintext,
    Tls,
}

impl Security {
    pub(super) const ALL: [Self; 2] = [Self::Plaintext, Self::Tls];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Plaintext => "plaintext",
            Self::Tls => "tls",
        }
    }
}

impl fmt::Display for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
