//! DNS by hickory-resolver: TTLs, TXT records and name servers of the target's choosing.

use std::{net::SocketAddr, time::Duration};

use hickory_resolver::{
    Hosts, TokioResolver,
    config::{ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts},
    net::{DnsError, NetError, NoRecords, runtime::TokioRuntimeProvider},
    proto::{
        op::{Query, ResponseCode},
        rr::{Name, RData, Record, RecordType},
    },
};

use super::lookup::{Answer, Lookup, System, failed, no_address};
use crate::{resolver::ResolveError, rt::BoxFuture};

/// Asks DNS servers. The hosts file comes first, as everywhere; without a readable system configuration the operating
/// system's resolver is asked in their place.
///
/// Nothing is kept between look-ups: a channel looks up rarely and wants fresh answers, and the system's configuration
/// may change while it lives.
#[derive(Debug)]
pub(super) struct Hickory {
    /// The name server to ask, or those of the system.
    server: Option<SocketAddr>,
}

impl Hickory {
    pub(super) fn new(server: Option<SocketAddr>) -> Self {
        Self { server }
    }

    fn client(&self) -> Result<TokioResolver, NetError> {
        let runtime = TokioRuntimeProvider::default();
        let mut builder = match self.server {
            Some(server) => TokioResolver::builder_with_config(only(server), runtime),
            None => TokioResolver::builder(runtime)?,
        };
        let options: &mut ResolverOpts = builder.options_mut();
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        options.cache_size = 0;
        options.use_hosts_file = ResolveHosts::Never;
        builder.build()
    }

    async fn find(&self, host: &str) -> Result<Answer, ResolveError> {
        if self.server.is_none()
            && let Some(answer) = in_hosts_file(host)
        {
            return Ok(answer);
        }
        let Ok(client) = self.client() else { return System.addresses(host).await };
        let found = client.lookup_ip(host).await.map_err(|error| describe(host, &error))?;
        answer(found.as_lookup().answers()).ok_or_else(|| no_address(host))
    }

    async fn find_txt(&self, name: &str) -> Result<Vec<String>, ResolveError> {
        let Ok(client) = self.client() else { return System.txt(name).await };
        match client.txt_lookup(name).await {
            Ok(found) => Ok(found.answers().iter().filter_map(text).collect()),
            Err(error) if error.is_no_records_found() => Ok(Vec::new()),
            Err(error) => Err(describe(name, &error)),
        }
    }
}

impl Lookup for Hickory {
    fn addresses<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Result<Answer, ResolveError>> {
        Box::pin(self.find(host))
    }

    fn txt<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<String>, ResolveError>> {
        Box::pin(self.find_txt(name))
    }
}

/// A configuration with one name server and no search domains.
fn only(server: SocketAddr) -> ResolverConfig {
    let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
    for connection in &mut connections {
        connection.port = server.port();
    }
    ResolverConfig::from_name_servers(vec![NameServerConfig::new(server.ip(), true, connections)])
}

/// What the hosts file says of `host`. A name with one family there has only that one: DNS is not asked for the other.
fn in_hosts_file(host: &str) -> Option<Answer> {
    let name = Name::from_utf8(host).ok()?.to_lowercase();
    let hosts = Hosts::from_system().ok()?;
    let families = [RecordType::A, RecordType::AAAA];
    let found = families.into_iter().filter_map(|family| hosts.lookup_static_host(&Query::query(name.clone(), family)));
    let records: Vec<Record> = found.flat_map(|lookup| lookup.answers().to_vec()).collect();
    answer(&records).map(|answer| Answer { ttl: None, ..answer })
}

/// The addresses among these records, and the shortest time that any of the records, aliases included, stays valid.
fn answer(records: &[Record]) -> Option<Answer> {
    let addresses: Vec<_> = records.iter().filter_map(|record| record.data.ip_addr()).collect();
    let ttl = records.iter().map(|record| record.ttl).min()?;
    (!addresses.is_empty()).then(|| Answer { addresses, ttl: Some(Duration::from_secs(ttl.into())) })
}

/// A TXT record as text: its strings joined (RFC 4408, 3.1.3).
fn text(record: &Record) -> Option<String> {
    let RData::TXT(txt) = &record.data else { return None };
    let bytes: Vec<u8> = txt.txt_data.iter().flat_map(|part| part.iter().copied()).collect();
    String::from_utf8(bytes).ok()
}

/// A failure in the words of a call's error.
fn describe(host: &str, error: &NetError) -> ResolveError {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(NoRecords { response_code: ResponseCode::NXDomain, .. })) => {
            ResolveError::NotFound { host: host.into() }
        }
        NetError::Dns(DnsError::NoRecordsFound(_)) => no_address(host),
        NetError::Dns(DnsError::ResponseCode(code)) => failed(host, format!("the name server answered: {code}")),
        NetError::Timeout => failed(host, "no name server answered in time"),
        NetError::NoConnections => failed(host, "no name server could be reached"),
        other => failed(host, other.to_string()),
    }
}
