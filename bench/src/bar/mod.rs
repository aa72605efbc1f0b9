//! Bars: what a figure of a cell, or its ratio to another column's, must keep.

use std::fmt::{self, Display, Formatter};

use crate::{sample::Metric, stats::Summary};

#[cfg(test)]
mod tests;

/// A limit for the median of one figure.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bar {
    /// Its name, unique within the benchmark.
    pub(crate) name: String,
    /// The figure.
    pub(crate) metric: Metric,
    /// What of the figure is held to the limit.
    pub(crate) subject: Subject,
    /// The limit.
    pub(crate) limit: Limit,
}

/// What is held to a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// The figure's ratio to that of the cell's reference column.
    Ratio,
    /// The figure itself.
    Figure,
}

/// What the median must keep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Limit {
    /// No more than this.
    Most(f64),
    /// No more than this, or else a spread of the pairs that reaches down to 1, so that the pairs themselves don't tell
    /// who is faster.
    MostOrLevel(f64),
    /// No less than this.
    Least(f64),
}

/// What the rounds say about a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The median keeps the limit.
    Ok,
    /// The median exceeds the limit, but the pairs can't tell the two apart.
    WithinSpread,
    /// The bar is missed.
    Short,
}

impl Limit {
    /// The number.
    pub(crate) fn number(self) -> f64 {
        match self {
            Self::Most(number) | Self::MostOrLevel(number) | Self::Least(number) => number,
        }
    }

    /// Judges what the rounds came to.
    pub(crate) fn judge(self, value: &Summary) -> Verdict {
        match self {
            Self::Most(most) | Self::MostOrLevel(most) if value.median <= most => Verdict::Ok,
            Self::MostOrLevel(_) if value.min <= 1.0 => Verdict::WithinSpread,
            Self::Least(least) if value.median >= least => Verdict::Ok,
            Self::Most(_) | Self::MostOrLevel(_) | Self::Least(_) => Verdict::Short,
        }
    }
}

impl Display for Limit {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let side = if matches!(self, Self::Least(_)) { "at least" } else { "at most" };
        write!(f, "{side} {:.2}", self.number())
    }
}
