//! In which order addresses are tried: shuffled by endpoint (A62), flattened, interleaved by family (A61, RFC 8305).

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
    let mut endpoints: Vec<&Endpoint> = endpoints.iter().collect();
    if let Some(random) = shuffle {
        random.shuffle(&mut endpoints);
    }
    let mut seen = BTreeSet::new();
    interleave(
        endpoints
            .into_iter()
            .flat_map(|endpoint| endpoint.addresses().iter().map(move |address| (endpoint, address)))
            .filter(|(_, address)| seen.insert(*address))
            .map(|(endpoint, address)| (endpoint.clone(), address.clone())),
    )
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
