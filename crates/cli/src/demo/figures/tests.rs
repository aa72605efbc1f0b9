//! Figures read well at every size.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::{Percentiles, share, short};

#[test]
fn latencies_have_about_three_digits() {
    for (micros, text) in [
        (0, "-"),
        (1, "0.00ms"),
        (420, "0.42ms"),
        (994, "0.99ms"),
        (996, "1.0ms"),
        (4_249, "4.2ms"),
        (9_970, "10ms"),
        (42_100, "42ms"),
        (999_400, "999ms"),
        (999_600, "1.0s"),
        (12_340_000, "12.3s"),
    ] {
        assert_eq!(short(Duration::from_micros(micros)), text);
    }
}

#[test]
fn the_share_of_nothing_is_nothing() {
    assert_eq!([share(0, 0), share(1, 4), share(4, 4)], [0.0, 0.25, 1.0]);
}

#[test]
fn percentiles_are_those_of_the_histogram() {
    let mut micros = Histogram::new(3).unwrap();
    assert_eq!(Percentiles::of(&micros), Percentiles::default());
    (1..=1000).for_each(|value| micros.record(value).unwrap());
    let ms = |ms: u64| Duration::from_micros(ms);
    assert_eq!(Percentiles::of(&micros), Percentiles { p50: ms(500), p90: ms(900), p99: ms(990), max: ms(1000) });
}
