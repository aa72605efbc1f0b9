//! In which order addresses are tried: shuffled by endpoint (A62, A113), flattened, interleaved by family (A61, RFC 8305).

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::SocketAddr,
};

use crate::{
    endpoint::{Address, Endpoint},
    random::Random,
};

/// One address to try, and the endpoint it came with.
pub(super) type Listed = (Endpoint, Address);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Family {
    V4,
    V6,
    Other,
}

fn family(address: &Address) -> Family {
    match address {
        Address::Tcp(SocketAddr::V4(_)) => Family::V4,
        Address::Tcp(SocketAddr::V6(a)) if a.ip().to_ipv4_mapped().is_some() => Family::V4,
        Address::Tcp(SocketAddr::V6(_)) => Family::V6,
        Address::Unix(_) | Address::UnixAbstract(_) | Address::Opaque(_) => Family::Other,
    }
}

/// All addresses in the order in which they are to be tried, each once; endpoints are shuffled if there is a `shuffle`.
pub(super) fn in_order(endpoints: &[Endpoint], shuffle: Option<&mut Random>) -> Vec<Listed> {
    if let [endpoint] = endpoints
        && let [address] = &endpoint.addresses()[..]
    {
        return vec![(endpoint.clone(), address.clone())];
    }
    let endpoints = match shuffle {
        Some(random) => shuffled(endpoints, random),
        None => endpoints.iter().collect(),
    };
    let mut seen = BTreeSet::new();
    interleave(
        endpoints
            .into_iter()
            .flat_map(|endpoint| endpoint.addresses().iter().map(move |address| (endpoint, address)))
            .filter(|(_, address)| seen.insert(*address))
            .map(|(endpoint, address)| (endpoint.clone(), address.clone())),
    )
}

/// A random order in which each place falls to one of the endpoints that are left, with a chance as their weights say
/// (A113).
///
/// A113 sorts by `u^(1/weight)`, descending. `-ln(u)/weight`, ascending, is the same order, and tells large weights apart.
fn shuffled<'a>(endpoints: &'a [Endpoint], random: &mut Random) -> Vec<&'a Endpoint> {
    let arrival = |endpoint: &Endpoint| -(1.0 - random.unit()).ln() / f64::from(endpoint.weight().get());
    let arrivals = endpoints.iter().map(arrival).collect::<Vec<_>>();
    let mut order: Vec<_> = arrivals.into_iter().zip(endpoints).collect();
    order.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    order.into_iter().map(|(_, endpoint)| endpoint).collect()
}

/// The families take turns, the one that came first begins; within a family the order stays.
fn interleave(list: impl Iterator<Item = Listed>) -> Vec<Listed> {
    let mut families: Vec<Family> = vec![];
    let mut queues: BTreeMap<Family, VecDeque<Listed>> = BTreeMap::new();
    let mut count = 0;
    for listed in list {
        let family = family(&listed.1);
        if !families.contains(&family) {
            families.push(family);
        }
        queues.entry(family).or_default().push_back(listed);
        count += 1;
    }
    let turns = families.iter().cycle();
    turns.filter_map(|family| queues.get_mut(family)?.pop_front()).take(count).collect()
}
