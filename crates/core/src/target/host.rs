//! `host:port`.

use std::net::Ipv6Addr;

use super::error::TargetError;

/// Takes `host[:port]` apart; the host is a name or an IP address (IPv6 in brackets if a port follows, returned without
/// them, a zone included).
///
/// # Errors
///
/// The host is missing or holds what no name holds, or the port is not a number from 1 to 65535.
pub fn host_and_port(text: &str, default_port: u16) -> Result<(&str, u16), TargetError> {
    if is_ipv6(text) {
        return Ok((text, default_port));
    }
    let (host, port) = split(text)?;
    let Some(port) = port else { return Ok((host, default_port)) };
    match port.parse() {
        Ok(number @ 1..) if port.bytes().all(|b| b.is_ascii_digit()) => Ok((host, number)),
        _ => Err(TargetError::Port { text: text.into(), port: port.into() }),
    }
}

/// A valid host, and what follows its colon, if there is one.
fn split(text: &str) -> Result<(&str, Option<&str>), TargetError> {
    let wrong = |host: &str| TargetError::Host { text: text.into(), host: host.into() };
    if let Some(rest) = text.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or_else(|| wrong(text))?;
        let port = after.strip_prefix(':');
        return if is_ipv6(host) && port.is_some() != after.is_empty() { Ok((host, port)) } else { Err(wrong(text)) };
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    if host.is_empty() {
        return Err(TargetError::MissingHost { text: text.into() });
    }
    let is_name = !host.contains(|c: char| c.is_whitespace() || c.is_control() || "/\\?#@%:,[]\"<>".contains(c));
    if is_name { Ok((host, port)) } else { Err(wrong(host)) }
}

fn is_ipv6(text: &str) -> bool {
    text.split('%').next().is_some_and(|address| address.parse::<Ipv6Addr>().is_ok())
}
