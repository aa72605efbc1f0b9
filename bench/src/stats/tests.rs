//! Tests of the statistics.

use super::{Summary, ratio, summary};

#[test]
fn the_median_of_an_odd_number_is_the_middle_one() {
    assert_eq!(summary([9.0, 1.0, 4.0]), Some(Summary { median: 4.0, min: 1.0, max: 9.0 }));
}

#[test]
fn the_median_of_an_even_number_is_the_mean_of_the_middle_two() {
    assert_eq!(summary([9.0, 1.0, 4.0, 6.0]), Some(Summary { median: 5.0, min: 1.0, max: 9.0 }));
}

#[test]
fn nothing_has_no_summary() {
    assert_eq!(summary([]), None);
}

#[test]
fn a_ratio_is_taken_within_each_pair_before_the_median() {
    let pairs = [(1.0, 2.0), (30.0, 10.0), (4.0, 4.0)];
    assert_eq!(ratio(pairs), Some(Summary { median: 1.0, min: 0.5, max: 3.0 }));
}
