//! Do picks spread as a policy promises? Pearson's chi-square says how unlikely it is that they do.

use std::collections::BTreeMap;

use thalweg_core::lb::Pick;
use thalweg_sim::Sim;

/// How many picks are counted.
pub(crate) const PICKS: u32 = 100_000;

/// How many of as many picks go to each address.
pub(crate) fn counted(sim: &Sim) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for _ in 0..PICKS {
        match sim.peek(&sim.args()) {
            Pick::Use(id) => *counts.entry(sim.address(id).unwrap().to_string()).or_default() += 1,
            other => panic!("{other:?}"),
        }
    }
    counts
}

/// Demands that the counts agree with these shares, which add up to one: worse luck than this comes once in a million.
#[track_caller]
pub(crate) fn assert_shares(counts: &BTreeMap<String, u32>, shares: &[(&str, f64)]) {
    let total = f64::from(counts.values().sum::<u32>());
    let mut chi_square = 0.0;
    for (name, share) in shares {
        let count = counts.get(*name).copied().unwrap_or(0);
        let expected = total * share;
        if *share > 0.0 {
            chi_square += (f64::from(count) - expected).powi(2) / expected;
        } else {
            assert_eq!(count, 0, "{name} gets none: {counts:?}");
        }
    }
    let freedom = shares.len() as f64 - 1.0;
    let bound = freedom + 5.0 * (2.0 * freedom).sqrt() + 17.0;
    assert!(
        chi_square < bound,
        "chi-square {chi_square:.1} with {freedom} degrees of freedom: {counts:?} for {shares:?}"
    );
}
