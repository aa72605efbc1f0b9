//! Names of what a channel talks to (gRPC's naming document): a URI whose scheme picks the resolver, or a plain name.

mod escape;
mod host;

mod error;

#[cfg(test)]
mod tests;

use std::{borrow::Cow, fmt, net::Ipv6Addr};

pub use self::{error::TargetError, host::host_and_port};

/// The scheme of a target that names none.
pub const DEFAULT_SCHEME: &str = "dns";

/// Schemes whose targets are addresses of this machine's own: nobody else has authority over them.
const WITHOUT_AUTHORITY: [&str; 4] = ["unix", "unix-abstract", "ipv4", "ipv6"];

/// What a channel talks to, taken apart.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Target {
    /// Which resolver to ask, in lower case: `dns`.
    pub scheme: String,
    /// Whom the resolver asks (`8.8.8.8` in `dns://8.8.8.8/greeter:50051`), mostly empty. As written.
    pub authority: String,
    /// What the resolver looks up: `greeter:50051`. Percent-decoded, and without the slash that ends the authority,
    /// except that a `unix` path keeps it.
    pub path: String,
}

impl Target {
    /// Takes a target apart. A text that doesn't begin with a known scheme is a name for the default scheme, `dns`,
    /// word for word: `localhost:50051`.
    ///
    /// # Errors
    ///
    /// An unknown scheme followed by `://`, an authority where none belongs, a malformed percent-escape, or nothing
    /// to look up.
    pub fn parse(text: &str, known_scheme: impl Fn(&str) -> bool) -> Result<Self, TargetError> {
        if text.is_empty() {
            return Err(TargetError::Empty);
        }
        let Some((scheme, rest)) = split_scheme(text) else {
            return Ok(Self::name(text));
        };
        if known_scheme(&scheme) {
            return Self::parse_uri(text, scheme, rest);
        }
        if rest.starts_with("//") {
            return Err(TargetError::UnknownScheme { target: text.into(), scheme });
        }
        Ok(Self::name(text))
    }

    /// The value of a call's `:authority` for this target, unless somebody overrides it: the path of most schemes, the
    /// first address of `ipv4` and `ipv6`, `localhost` for Unix sockets.
    #[must_use]
    pub fn default_authority(&self) -> String {
        let name = match self.scheme.as_str() {
            "unix" | "unix-abstract" => "localhost",
            "ipv4" | "ipv6" => self.path.split(',').next().unwrap_or_default(),
            _ => &self.path,
        };
        let name = without_zone(name);
        let host = if name.starts_with(':') { "localhost" } else { "" };
        escape::authority(&format!("{host}{name}"))
    }

    fn name(text: &str) -> Self {
        Self { scheme: DEFAULT_SCHEME.into(), authority: String::new(), path: text.into() }
    }

    fn parse_uri(text: &str, scheme: String, rest: &str) -> Result<Self, TargetError> {
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
            None => ("", rest),
        };
        if !authority.is_empty() && WITHOUT_AUTHORITY.contains(&scheme.as_str()) {
            return Err(TargetError::UnexpectedAuthority { scheme, authority: authority.into() });
        }
        let is_after_authority = rest.starts_with("//") && scheme != "unix";
        let path = if is_after_authority { path.strip_prefix('/').unwrap_or(path) } else { path };
        if path.is_empty() {
            return Err(TargetError::NoPath { target: text.into() });
        }
        Ok(Self { scheme, authority: authority.into(), path: escape::decode(path)? })
    }
}

/// The canonical text, which parses to the same target.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, authority, path } = self;
        let path = escape::path(path);
        if !WITHOUT_AUTHORITY.contains(&scheme.as_str()) {
            write!(f, "{scheme}://{authority}/{path}")
        } else if !path.starts_with('/') {
            write!(f, "{scheme}:{path}")
        } else if scheme == "unix" {
            write!(f, "{scheme}://{path}")
        } else {
            write!(f, "{scheme}:///{path}")
        }
    }
}

/// The scheme in lower case and what follows its colon, if the text begins like a URI (RFC 3986).
fn split_scheme(text: &str) -> Option<(String, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    is_scheme.then(|| (scheme.to_ascii_lowercase(), rest))
}

/// The name with an IPv6 address in brackets and without its zone, which means nothing to anybody else (RFC 6874).
fn without_zone(name: &str) -> Cow<'_, str> {
    let (address, port) = match name.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => (address, port),
        None => (name, ""),
    };
    let address = address.split('%').next().unwrap_or_default();
    if address.parse::<Ipv6Addr>().is_ok() { format!("[{address}]{port}").into() } else { name.into() }
}
