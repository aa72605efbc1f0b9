//! `NO_PROXY`: which targets are reached without the proxy (A1), as in grpc-go.

use std::net::IpAddr;

/// The targets that a list covers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Bypass(Vec<Rule>);

#[derive(Debug, PartialEq, Eq)]
enum Rule {
    All,
    Range { network: IpAddr, bits: u8 },
    Ip { ip: IpAddr, port: Option<u16> },
    Name { name: String, itself: bool, port: Option<u16> },
}

impl Bypass {
    /// Reads the list; an entry that makes no sense covers nothing.
    pub(super) fn parse(list: &str) -> Self {
        Self(list.split(',').map(str::trim).filter(|entry| !entry.is_empty()).filter_map(rule).collect())
    }

    /// Is `host:port` reached without the proxy? `localhost` and loopback addresses always are.
    pub(super) fn covers(&self, host: &str, port: u16) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let ip = host.parse::<IpAddr>().ok().map(|ip| ip.to_canonical());
        let local = host == "localhost" || ip.is_some_and(|ip| ip.is_loopback());
        local || self.0.iter().any(|rule| rule.covers(&host, ip, port))
    }
}

impl Rule {
    fn covers(&self, host: &str, target: Option<IpAddr>, target_port: u16) -> bool {
        let port_fits = |port: &Option<u16>| port.is_none_or(|port| port == target_port);
        match self {
            Self::All => true,
            Self::Range { network, bits } => target.is_some_and(|ip| within(ip, *network, *bits)),
            Self::Ip { ip, port } => target == Some(*ip) && port_fits(port),
            Self::Name { name, itself, port } => {
                let below = host.strip_suffix(name.as_str()).is_some_and(|front| front.ends_with('.'));
                target.is_none() && (below || (*itself && host == name)) && port_fits(port)
            }
        }
    }
}

fn rule(entry: &str) -> Option<Rule> {
    if entry == "*" {
        return Some(Rule::All);
    }
    if let Some((network, bits)) = entry.split_once('/') {
        let (network, bits) = (network.parse::<IpAddr>().ok()?, bits.parse().ok()?);
        return (bits <= width(network)).then_some(Rule::Range { network, bits });
    }
    let (host, port) = split_port(entry)?;
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Some(Rule::Ip { ip: ip.to_canonical(), port });
    }
    let lower = host.to_ascii_lowercase();
    let (name, itself) = match lower.strip_prefix("*.").or_else(|| lower.strip_prefix('.')) {
        Some(name) => (name.to_owned(), false),
        None => (lower, true),
    };
    (!name.is_empty()).then_some(Rule::Name { name, itself, port })
}

/// The host, without brackets, and the port, if there is one.
fn split_port(entry: &str) -> Option<(&str, Option<u16>)> {
    if let Some(rest) = entry.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        return match after.strip_prefix(':') {
            Some(port) => Some((host, Some(port.parse().ok()?))),
            None => after.is_empty().then_some((host, None)),
        };
    }
    match entry.split_once(':') {
        Some((host, port)) if !port.contains(':') => Some((host, Some(port.parse().ok()?))),
        _ => Some((entry, None)),
    }
}

fn width(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

/// Are the first `bits` of both the same?
fn within(ip: IpAddr, network: IpAddr, bits: u8) -> bool {
    match (ip, network) {
        (IpAddr::V4(ip), IpAddr::V4(network)) => {
            (ip.to_bits() ^ network.to_bits()).checked_shr(32 - u32::from(bits)).unwrap_or(0) == 0
        }
        (IpAddr::V6(ip), IpAddr::V6(network)) => {
            (ip.to_bits() ^ network.to_bits()).checked_shr(128 - u32::from(bits)).unwrap_or(0) == 0
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}
