//! Bars: what the ratio of a cell's pairs must not exceed.

use crate::{sample::Metric, stats::Summary};

#[cfg(test)]
mod tests;

/// A limit for the median ratio of one figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bar {
    /// The figure; less must be better.
    pub(crate) metric: Metric,
    /// The largest median ratio that will do.
    pub(crate) limit: f64,
    /// Whether a larger one will do too if the spread of the pairs reaches down to 1, so that the pairs themselves don't
    /// tell who is faster.
    pub(crate) or_within_spread: bool,
}

/// What the pairs say about a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The median keeps the limit.
    Ok,
    /// The median exceeds the limit, but the pairs can't tell the two apart.
    WithinSpread,
    /// The bar is missed.
    Short,
}

impl Bar {
    /// Judges the ratio of the pairs.
    pub(crate) fn judge(&self, ratio: &Summary) -> Verdict {
        if ratio.median <= self.limit {
            Verdict::Ok
        } else if self.or_within_spread && ratio.min <= 1.0 {
            Verdict::WithinSpread
        } else {
            Verdict::Short
        }
    }
}
