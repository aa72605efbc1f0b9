//! Who does badly: the two algorithms of A50, as functions of one interval's calls.

use super::{
    calls::Calls,
    config::{FailurePercentageEjection, SuccessRateEjection},
};

/// An endpoint that does badly.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Outlier {
    /// Its place among the endpoints that were looked at.
    pub(super) place: usize,
    /// What it did, for people.
    pub(super) story: String,
}

/// The endpoints whose success rate is far below the others'.
pub(super) fn by_success_rate(rule: &SuccessRateEjection, calls: &[Calls]) -> Vec<Outlier> {
    let rates = judged(calls, rule.minimum_hosts, |calls| calls.success_rate(rule.request_volume));
    let count = rates.len() as f64;
    let mean = rates.iter().map(|(_, rate)| rate).sum::<f64>() / count;
    let variance = rates.iter().map(|(_, rate)| (rate - mean).powi(2)).sum::<f64>() / count;
    let required = mean - variance.sqrt() * f64::from(rule.stdev_factor) / 1000.0;
    let below = rates.into_iter().filter(|(_, rate)| *rate < required);
    below
        .map(|(place, _)| {
            let story = format!("{}, and {:.1}% must succeed", failed(calls[place]), required * 100.0);
            Outlier { place, story }
        })
        .collect()
}

/// The endpoints of whose calls too many fail.
pub(super) fn by_failure_percentage(rule: &FailurePercentageEjection, calls: &[Calls]) -> Vec<Outlier> {
    let percentages = judged(calls, rule.minimum_hosts, |calls| calls.failure_percentage(rule.request_volume));
    let above = percentages.into_iter().filter(|(_, percentage)| *percentage > f64::from(rule.threshold));
    above
        .map(|(place, _)| {
            let story = format!("{}, and {}% may fail", failed(calls[place]), rule.threshold);
            Outlier { place, story }
        })
        .collect()
}

/// What is known of each endpoint that had enough calls, by its place; of nobody, if they are fewer than `least`.
fn judged(calls: &[Calls], least: u32, known: impl Fn(Calls) -> Option<f64>) -> Vec<(usize, f64)> {
    let known: Vec<_> = calls.iter().enumerate().filter_map(|(place, calls)| Some((place, known(*calls)?))).collect();
    if known.len() < least as usize { vec![] } else { known }
}

fn failed(calls: Calls) -> String {
    format!("{} of {} calls failed", calls.failed, calls.total())
}
