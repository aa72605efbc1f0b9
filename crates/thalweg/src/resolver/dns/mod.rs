//! `dns:[//server/]host[:port]`: names in DNS, the default scheme (doc/naming; service config in TXT records: A2).

#[cfg(feature = "dns")]
mod hickory;
mod lookup;
#[cfg(test)]
mod tests;
mod txt;
mod watch;

use std::time::Duration;

use thalweg_core::target::{Target, TargetError, host_and_port};

use self::{lookup::Lookup, watch::Watch};
use super::{DEFAULT_PORT, Resolver, ResolverContext, ResolverFactory, fixed::Fixed, socket_address};

/// How often and how thoroughly names are looked up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DnsOptions {
    /// The least time between a successful look-up and the next one, 30 s by default. A channel that asks sooner, as it
    /// does when connections fail, gets its answer when this time is over. After a failed look-up the channel's own
    /// backoff decides, and at least a second passes.
    pub min_interval: Duration,
    /// Look up again unasked, so that new backends get traffic while the old ones are well: when the time to live of
    /// the records is over, but not before this time nor before `min_interval`. Off by default: then names are looked
    /// up only when a connection fails or is closed. Where no time to live is known (the hosts file, the operating
    /// system's resolver), this time is the interval.
    pub polling: Option<Duration>,
    /// Read the service config in the TXT records of `_grpc_config.HOST` (A2). Off by default. Needs the feature `dns`.
    /// A failing TXT look-up leaves the service config as it was.
    pub service_config_txt: bool,
    /// The longest that one look-up may take, 30 s by default.
    pub timeout: Duration,
}

impl Default for DnsOptions {
    fn default() -> Self {
        Self {
            min_interval: Duration::from_secs(30),
            polling: None,
            service_config_txt: false,
            timeout: Duration::from_secs(30),
        }
    }
}

/// Resolves host names to all their addresses, IPv4 first, each an endpoint of its own.
///
/// Names in the hosts file and IP addresses never touch DNS. The feature `dns` reads records itself, with the system's
/// name servers and search domains, or the one named in the target (`dns://8.8.8.8/greeter:50051`); without the feature,
/// or where the system's configuration cannot be read, the operating system's resolver is asked. The port may be
/// absent: 443.
#[derive(Clone, Debug, Default)]
pub struct DnsResolver {
    options: DnsOptions,
}

impl DnsResolver {
    /// A resolver with these options, to take the place of the default one in a
    /// [`Registry`](crate::registry::Registry::with_resolver).
    #[must_use]
    pub fn new(options: DnsOptions) -> Self {
        Self { options }
    }
}

impl ResolverFactory for DnsResolver {
    fn scheme(&self) -> &str {
        "dns"
    }

    fn build(&self, target: &Target, cx: ResolverContext) -> Result<Box<dyn Resolver>, TargetError> {
        let lookup = name_system(&target.authority)?;
        let (host, port) = host_and_port(&target.path, DEFAULT_PORT)?;
        Ok(match socket_address(host, port) {
            Some(address) => Box::new(Fixed::new([address])),
            None => Box::new(Watch::new(host, port, self.options.clone(), lookup, cx)),
        })
    }
}

/// Who looks names up for a target with this authority.
#[cfg(feature = "dns")]
fn name_system(authority: &str) -> Result<Box<dyn Lookup>, TargetError> {
    if authority.is_empty() {
        return Ok(Box::new(hickory::Hickory::new(None)));
    }
    let (host, port) = host_and_port(authority, 53)?;
    let server = socket_address(host, port).ok_or_else(|| TargetError::Rejected {
        piece: authority.into(),
        reason: "a DNS server is named by its IP address".into(),
    })?;
    Ok(Box::new(hickory::Hickory::new(Some(server))))
}

/// Who looks names up for a target with this authority.
#[cfg(not(feature = "dns"))]
fn name_system(authority: &str) -> Result<Box<dyn Lookup>, TargetError> {
    if authority.is_empty() {
        return Ok(Box::new(lookup::System));
    }
    Err(TargetError::Rejected {
        piece: authority.into(),
        reason: "asking a DNS server of one's choice needs the feature `dns`".into(),
    })
}
