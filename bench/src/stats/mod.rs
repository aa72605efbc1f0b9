//! Medians, spreads and ratios of pairs.

use serde::Serialize;

#[cfg(test)]
mod tests;

/// The median of several measurements and how far they lie apart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Summary {
    /// The middle one; the mean of the middle two of an even number.
    pub(crate) median: f64,
    /// The smallest.
    pub(crate) min: f64,
    /// The largest.
    pub(crate) max: f64,
}

/// Summarises measurements; none if there are none.
pub(crate) fn summary(values: impl IntoIterator<Item = f64>) -> Option<Summary> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let (min, max) = (*values.first()?, *values.last()?);
    let middle = values.len() / 2;
    let median = if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) };
    Some(Summary { median, min, max })
}

/// Summarises `ours / theirs` over pairs that were measured next to each other; none if there are none.
pub(crate) fn ratio(pairs: impl IntoIterator<Item = (f64, f64)>) -> Option<Summary> {
    summary(pairs.into_iter().map(|(ours, theirs)| ours / theirs))
}
