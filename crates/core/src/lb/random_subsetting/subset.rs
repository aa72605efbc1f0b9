//! Which endpoints: rendezvous hashing (A68).

use std::{collections::BTreeSet, fmt::Write};

use twox_hash::XxHash64;

use crate::endpoint::Endpoint;

/// The `size` endpoints that come first by the hash of their first address under `seed`, in that order.
///
/// The hash of one endpoint does not depend on the others, so one endpoint more or less changes at most one of the
/// chosen. Endpoints without an address, and all but the first of equal ones, do not count. If there are no more than
/// `size`, they come in the order of the list.
pub(super) fn chosen(endpoints: &[Endpoint], size: usize, seed: u64) -> Vec<Endpoint> {
    let mut seen = BTreeSet::new();
    let counted = endpoints.iter().filter(|e| !e.addresses().is_empty() && seen.insert(e.key()));
    let counted: Vec<&Endpoint> = counted.collect();
    if counted.len() <= size {
        return counted.into_iter().cloned().collect();
    }
    let mut text = String::new();
    let mut by_hash: Vec<(u64, &Endpoint)> = counted.into_iter().map(|e| (hash(e, seed, &mut text), e)).collect();
    // Endpoints that share their first address are told apart by the others.
    let order = |(a, x): &(u64, &Endpoint), (b, y): &(u64, &Endpoint)| a.cmp(b).then_with(|| x.key().cmp(&y.key()));
    by_hash.select_nth_unstable_by(size, order);
    by_hash.truncate(size);
    by_hash.sort_unstable_by(order);
    by_hash.into_iter().map(|(_, endpoint)| endpoint.clone()).collect()
}

/// XXH64 of the first address as text; `text` is only there to be written to again and again.
pub(super) fn hash(endpoint: &Endpoint, seed: u64, text: &mut String) -> u64 {
    text.clear();
    for address in endpoint.addresses().iter().take(1) {
        write!(text, "{address}").expect("a String takes what it is given");
    }
    XxHash64::oneshot(seed, text.as_bytes())
}
