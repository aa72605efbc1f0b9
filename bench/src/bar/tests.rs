//! Tests of the verdicts.

use super::{Bar, Verdict};
use crate::{sample::Metric, stats::Summary};

fn verdict(or_within_spread: bool, median: f64, min: f64) -> Verdict {
    let bar = Bar { metric: Metric::ClientCpu, limit: 1.05, or_within_spread };
    bar.judge(&Summary { median, min, max: 2.0 })
}

#[test]
fn a_median_at_the_limit_is_ok() {
    assert_eq!(verdict(false, 1.05, 1.0), Verdict::Ok);
}

#[test]
fn a_spread_that_reaches_parity_excuses_only_where_the_bar_allows_it() {
    assert_eq!(verdict(true, 1.08, 0.99), Verdict::WithinSpread);
    assert_eq!(verdict(false, 1.08, 0.99), Verdict::Short);
}

#[test]
fn a_spread_above_parity_excuses_nothing() {
    assert_eq!(verdict(true, 1.08, 1.01), Verdict::Short);
}
