//! Who plays, and how the connection between two players is secured.

use std::fmt;

/// An implementation of gRPC with an interoperability client and server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Peer {
    Thalweg,
    GrpcGo,
    Python,
    GrpcJs,
}

impl Peer {
    pub(super) const ALL: [Self; 4] = [Self::Thalweg, Self::GrpcGo, Self::Python, Self::GrpcJs];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Thalweg => "thalweg",
            Self::GrpcGo => "grpc-go",
            Self::Python => "python",
            Self::GrpcJs => "grpc-js",
        }
    }
}

/// A program that speaks HTTP/2 and knows nothing of gRPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tool {
    H2spec,
    H2load,
    Nghttp,
    Nghttpd,
}

impl Tool {
    pub(super) const ALL: [Self; 4] = [Self::H2spec, Self::H2load, Self::Nghttp, Self::Nghttpd];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::H2spec => "h2spec",
            Self::H2load => "h2load",
            Self::Nghttp => "nghttp",
            Self::Nghttpd => "nghttpd",
        }
    }
}

/// Whether a connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// A cell of the matrix: what one player does with another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell<'a> {
    pub(super) client: &'static str,
    pub(super) server: &'static str,
    pub(super) security: Security,
    pub(super) case: &'a str,
}

impl fmt::Display for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client, server, security, case } = self;
        write!(f, "{client:>7} -> {server:<7}  {security:<9}  {case:<27}")
    }
}
