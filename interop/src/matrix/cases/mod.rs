//! `cases.toml`: the cases, and the reason for each side that a peer cannot play.

use serde::Deserialize;

use super::peer::Peer;

#[cfg(test)]
mod tests;

/// One case, and who can play it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    /// The name in the test descriptions.
    pub(super) name: String,
    /// Whether the case is in the smoke selection.
    #[serde(default)]
    pub(super) smoke: bool,
    /// What every client is told beside the usual flags.
    #[serde(default)]
    pub(super) args: Vec<String>,
    thalweg: Sides,
    #[serde(rename = "grpc-go")]
    grpc_go: Sides,
    python: Sides,
    #[serde(rename = "grpc-js")]
    grpc_js: Sides,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
struct Sides {
    client: Mark,
    server: Mark,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Mark {
    On,
    Off(String),
}

impl Mark {
    fn reason(&self) -> Option<&str> {
        match self {
            Self::On => None,
            Self::Off(reason) => Some(reason),
        }
    }
}

impl Case {
    /// Why these two cannot play the case, or `None` if they can.
    pub(super) fn off(&self, client: Peer, server: Peer) -> Option<&str> {
        self.sides(client).client.reason().or_else(|| self.sides(server).server.reason())
    }

    fn sides(&self, peer: Peer) -> &Sides {
        match peer {
            Peer::Thalweg => &self.thalweg,
            Peer::GrpcGo => &self.grpc_go,
            Peer::Python => &self.python,
            Peer::GrpcJs => &self.grpc_js,
        }
    }
}

/// Reads the cases.
pub(super) fn parse(text: &str) -> Result<Vec<Case>, toml::de::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        case: Vec<Case>,
    }
    toml::from_str(text).map(|File { case }| case)
}
