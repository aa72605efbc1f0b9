//! Tests of the verdicts.

use super::{Limit, Verdict};
use crate::stats::Summary;

fn verdict(limit: Limit, median: f64, min: f64) -> Verdict {
    limit.judge(&Summary { median, min, max: 20.0 })
}

#[test]
fn a_median_at_the_limit_is_ok() {
    assert_eq!(verdict(Limit::Most(1.05), 1.05, 1.0), Verdict::Ok);
    assert_eq!(verdict(Limit::MostOrLevel(1.05), 1.05, 1.02), Verdict::Ok);
    assert_eq!(verdict(Limit::Least(10.0), 10.0, 9.0), Verdict::Ok);
}

#[test]
fn a_spread_that_reaches_parity_excuses_only_where_the_bar_allows_it() {
    assert_eq!(verdict(Limit::MostOrLevel(1.05), 1.08, 0.99), Verdict::WithinSpread);
    assert_eq!(verdict(Limit::Most(1.05), 1.08, 0.99), Verdict::Short);
}

#[test]
fn a_spread_above_parity_excuses_nothing() {
    assert_eq!(verdict(Limit::MostOrLevel(1.05), 1.08, 1.01), Verdict::Short);
}

#[test]
fn less_than_a_lower_limit_is_short() {
    assert_eq!(verdict(Limit::Least(10.0), 9.9, 9.0), Verdict::Short);
    assert_eq!(Limit::Least(10.0).to_string(), "at least 10.00");
}
