//! `ipv4:1.2.3.4:80,5.6.7.8` and `ipv6:[::1]:80,[::2]:81`: targets that are lists of addresses (doc/naming).

use std::net::{IpAddr, SocketAddr};

use thalweg_core::target::{Target, TargetError, host_and_port};

use super::{DEFAULT_PORT, Resolver, ResolverContext, ResolverFactory, fixed::Fixed, socket_address};

/// Resolves a list of IP addresses of one family, separated by commas, to themselves. The port may be absent: 443.
#[derive(Clone, Copy, Debug)]
pub struct IpResolver {
    scheme: &'static str,
    family: &'static str,
    is_member: fn(&IpAddr) -> bool,
}

impl IpResolver {
    /// The resolver of `ipv4:` targets.
    #[must_use]
    pub fn v4() -> Self {
        Self { scheme: "ipv4", family: "an IPv4 address", is_member: IpAddr::is_ipv4 }
    }

    /// The resolver of `ipv6:` targets. With a port the address stands in brackets; it may have a numeric zone.
    #[must_use]
    pub fn v6() -> Self {
        Self { scheme: "ipv6", family: "an IPv6 address", is_member: IpAddr::is_ipv6 }
    }

    fn address(&self, text: &str) -> Result<SocketAddr, TargetError> {
        let (host, port) = host_and_port(text, DEFAULT_PORT)?;
        let address = socket_address(host, port).filter(|address| (self.is_member)(&address.ip()));
        address.ok_or_else(|| TargetError::Rejected { piece: host.into(), reason: format!("not {}", self.family) })
    }
}

impl ResolverFactory for IpResolver {
    fn scheme(&self) -> &str {
        self.scheme
    }

    fn build(&self, target: &Target, _: ResolverContext) -> Result<Box<dyn Resolver>, TargetError> {
        let addresses: Vec<_> = target.path.split(',').map(|text| self.address(text)).collect::<Result<_, _>>()?;
        Ok(Box::new(Fixed::new(addresses)))
    }
}
