//! The matrix's flags.

use std::str::FromStr;

use clap::Parser;

use super::peer::{Peer, Security, Tool};

/// The flags of `interop/run`.
#[derive(Clone, Debug, Default, Parser)]
#[command(name = "interop/run", about = "Plays gRPC's interoperability cases, and tools for HTTP/2, against thalweg")]
pub struct MatrixOptions {
    /// Run a selection that takes a minute or two.
    #[arg(long, conflicts_with = "full")]
    pub smoke: bool,

    /// Run everything; this is the default.
    #[arg(long)]
    pub full: bool,

    /// Run only what fits, such as `client=thalweg,server=python,case=ping_pong,security=tls`; a key given twice lets
    /// either through. Pairs without thalweg run only if both are named.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "KEY=VALUE,…")]
    pub only: Only,
}

/// What `--only` lets through: in each list any of it, or anything if the list is empty. Players go by their names.
#[derive(Clone, Debug, Default)]
pub struct Only {
    pub(super) clients: Vec<&'static str>,
    pub(super) servers: Vec<&'static str>,
    pub(super) securities: Vec<Security>,
    pub(super) cases: Vec<String>,
}

/// A part of `--only` that says nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OnlyError {
    /// Not of the form `key=value`.
    #[error("{0:?} is not of the form key=value")]
    Form(String),
    /// A key that there isn't.
    #[error("there is no key {0:?}; there are client, server, case and security")]
    Key(String),
    /// A value that its key does not know.
    #[error("{key} cannot be {value:?}: {reason}")]
    Value {
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// What it can be.
        reason: String,
    },
}

impl FromStr for Only {
    type Err = OnlyError;

    fn from_str(text: &str) -> Result<Self, OnlyError> {
        let mut only = Self::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=').ok_or_else(|| OnlyError::Form(part.to_owned()))?;
            match key {
                "client" => only.clients.push(player(key, value)?),
                "server" => only.servers.push(player(key, value)?),
                "security" => only.securities.push(security(key, value)?),
                "case" => only.cases.push(value.to_owned()),
                _ => return Err(OnlyError::Key(key.to_owned())),
            }
        }
        Ok(only)
    }
}

fn player(key: &str, value: &str) -> Result<&'static str, OnlyError> {
    let names: Vec<_> = Peer::ALL.map(Peer::name).into_iter().chain(Tool::ALL.map(Tool::name)).collect();
    names.iter().find(|name| **name == value).copied().ok_or_else(|| unknown(key, value, &names))
}

fn security(key: &str, value: &str) -> Result<Security, OnlyError> {
    let named = Security::ALL.into_iter().find(|security| security.name() == value);
    named.ok_or_else(|| unknown(key, value, &Security::ALL.map(Security::name)))
}

fn unknown(key: &str, value: &str, names: &[&str]) -> OnlyError {
    OnlyError::Value { key: key.to_owned(), value: value.to_owned(), reason: format!("there are {}", names.join(", ")) }
}
