//! HTTP CONNECT proxies (A1): which one a target is reached through, by `HTTPS_PROXY` and `NO_PROXY`, and the tunnel.

#[cfg(test)]
mod tests;

mod bypass;
mod prefixed;
mod tunnel;

use std::{fmt, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::HeaderValue;
use thalweg_core::{
    endpoint::Address,
    target::{TargetError, host_and_port},
};
use thiserror::Error;

use self::bypass::Bypass;
use super::tcp::TcpConnector;
use crate::{
    env,
    error::ConnectError,
    transport::{Connected, Connector},
};

/// The port of a proxy or target that names none, as in grpc-go.
const DEFAULT_PORT: u16 = 443;

/// Which proxy, if any, a channel's connections go through.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum ProxyChoice {
    /// The one in `HTTPS_PROXY`, unless `NO_PROXY` names the target.
    ///
    /// Either variable may be written in lower case. `NO_PROXY` is a list, separated by commas, of host names (which
    /// stand for their subdomains too; `.example.com` for the subdomains alone), IP addresses and ranges
    /// (`10.0.0.0/8`), each with or without a port, or `*` for everything. `localhost` and loopback addresses are never
    /// reached through a proxy.
    #[default]
    Environment,
    /// This one, whatever the target.
    Via(Proxy),
    /// None.
    Direct,
}

impl ProxyChoice {
    /// The proxy for `target` (`host[:port]`).
    ///
    /// It is for the target's name, before it is resolved, that the choice is made: a `dns:` target behind a proxy is
    /// not resolved here at all; the proxy is given its name (A1).
    ///
    /// # Errors
    ///
    /// [`ProxyError`] if `HTTPS_PROXY` is not a proxy's URL.
    pub fn for_target(&self, target: &str) -> Result<Option<Proxy>, ProxyError> {
        match self {
            Self::Via(proxy) => Ok(Some(proxy.clone())),
            Self::Direct => Ok(None),
            Self::Environment => from_variables(env::https_proxy().as_deref(), env::no_proxy().as_deref(), target),
        }
    }
}

/// What the values of `HTTPS_PROXY` and `NO_PROXY` say of `target`.
fn from_variables(
    https_proxy: Option<&str>,
    no_proxy: Option<&str>,
    target: &str,
) -> Result<Option<Proxy>, ProxyError> {
    let Some(url) = https_proxy else { return Ok(None) };
    let Ok((host, port)) = host_and_port(target, DEFAULT_PORT) else { return Ok(None) };
    if Bypass::parse(no_proxy.unwrap_or_default()).covers(host, port) {
        return Ok(None);
    }
    Proxy::parse(url).map(Some)
}

/// An HTTP CONNECT proxy.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// `host:port`.
    address: Arc<str>,
    /// The value of `Proxy-Authorization`, if the URL had a user.
    authorization: Option<HeaderValue>,
}

impl Proxy {
    /// The proxy at `[http://][user[:password]@]host[:port]`; the port is 443 unless given, and user and password may
    /// be percent-encoded. The proxy itself is spoken to in plaintext: what goes through it is secured by the channel's
    /// credentials.
    ///
    /// # Errors
    ///
    /// [`ProxyError`], which names the piece.
    pub fn parse(url: &str) -> Result<Self, ProxyError> {
        let rest = match url.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some((scheme, _)) => return Err(ProxyError::Scheme(scheme.into())),
            None => url,
        };
        let rest = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (user, address) = match rest.rsplit_once('@') {
            Some((user, address)) => (Some(user), address),
            None => (None, rest),
        };
        let address = with_port(address).map_err(|error| ProxyError::Address(error.to_string().into()))?;
        Ok(Self { address: address.into(), authorization: user.map(basic) })
    }

    /// The proxy's `host:port`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Has the proxy connect to `name` (`host[:port]`), as a `dns:` target would: the port is 443 unless given.
    pub(super) async fn tunnel_to_name(&self, name: &str, tcp: &TcpConnector) -> Result<Connected, ConnectError> {
        let target = with_port(name).map_err(|error| ConnectError::Address(error.to_string().into()))?;
        self.tunnel_to(&target, tcp).await
    }

    /// Has the proxy connect to `target` (`host:port`).
    pub(super) async fn tunnel_to(&self, target: &str, tcp: &TcpConnector) -> Result<Connected, ConnectError> {
        let failed = |reason: Arc<str>| ConnectError::Proxy { proxy: Arc::clone(&self.address), reason };
        let Connected { io, peer } = tcp
            .connect(Address::Opaque(Arc::clone(&self.address)))
            .await
            .map_err(|error| failed(error.to_string().into()))?;
        let io = tunnel::open(io, target, self.authorization.as_ref())
            .await
            .map_err(|error| failed(error.to_string().into()))?;
        Ok(Connected { io, peer })
    }
}

/// `host[:port]` as `host:port`.
fn with_port(text: &str) -> Result<String, TargetError> {
    let (host, port) = host_and_port(text, DEFAULT_PORT)?;
    Ok(if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") })
}

/// `Proxy-Authorization` for `user[:password]`.
fn basic(user: &str) -> HeaderValue {
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let plain = [&*percent_decode(name), b":", &*percent_decode(password)].concat();
    let mut value = HeaderValue::from_str(&format!("Basic {}", BASE64_STANDARD.encode(plain)))
        .expect("base64 has only characters that a header carries");
    value.set_sensitive(true);
    value
}

/// `text` with `%41` read as `A`; what is not an escape stays.
fn percent_decode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        match after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(b'%');
                rest = after;
            }
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Why this is not a proxy.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// Only HTTP proxies, spoken to in plaintext, are supported.
    #[error("proxy scheme {0:?} is not supported: write http://host:port")]
    Scheme(Arc<str>),
    /// The address is malformed.
    #[error("proxy address: {0}")]
    Address(Arc<str>),
}
