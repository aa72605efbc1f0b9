//! What a run prints: tables for people, one JSON object for programs, a line per bar for `--check`.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Value, json};

use crate::{
    bar::{Bar, Verdict},
    clients::WARM_UP,
    harness::{Cell, Ended, Measured},
    sample::{Metric, Sample},
    stats::Summary,
};

mod table;

#[cfg(test)]
mod tests;

pub(crate) use self::table::tables;

/// How a run was made; goes into the JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// The benchmark's name.
    pub(crate) benchmark: &'static str,
    /// Rounds, and so pairs per cell.
    pub(crate) rounds: usize,
    /// Seconds of a window; none if time is not what ends a sample.
    pub(crate) seconds: Option<f64>,
}

/// A bar of a cell, judged.
#[derive(Clone, Copy, Debug)]
struct Judged<'a> {
    bar: &'a Bar,
    /// None if the rounds did not bring the figure.
    value: Option<Summary>,
    verdict: Verdict,
}

/// The bars of a cell that had a round. One whose figure nobody measured is missed.
fn judge(measured: &Measured) -> impl Iterator<Item = Judged<'_>> {
    let bars = measured.cell.bars.iter().filter(|_| measured.samples.iter().all(|samples| !samples.is_empty()));
    bars.map(|bar| {
        let value = measured.value(bar);
        Judged { bar, value, verdict: value.map_or(Verdict::Short, |value| bar.limit.judge(&value)) }
    })
}

/// `bar NAME VALUE LIMIT ok|short`, a line for every bar of a cell that had a round.
pub(crate) fn bars(measured: &[Measured]) -> String {
    let mut lines = String::new();
    for Judged { bar, value, verdict } in measured.iter().flat_map(judge) {
        let verdict = if verdict == Verdict::Short { "short" } else { "ok" };
        let value = value.map_or_else(|| "-".to_owned(), |value| format!("{:.3}", value.median));
        let _infallible = writeln!(lines, "bar {} {value} {:.2} {verdict}", bar.name, bar.limit.number());
    }
    lines
}

/// Whether any bar is missed.
pub(crate) fn any_short(measured: &[Measured]) -> bool {
    measured.iter().flat_map(judge).any(|judged| judged.verdict == Verdict::Short)
}

/// The whole run as one JSON object.
pub(crate) fn json(settings: &Settings, ended: Ended, measured: &[Measured]) -> Value {
    json!({
        "benchmark": settings.benchmark,
        "rounds": settings.rounds,
        "seconds": settings.seconds,
        "warm_up": settings.seconds.map(|_| WARM_UP),
        "cpus": std::thread::available_parallelism().ok(),
        "interrupted": ended == Ended::Interrupted,
        "cells": measured.iter().map(cell).collect::<Vec<_>>(),
    })
}

fn cell(measured: &Measured) -> Value {
    let Cell { name, table, row, reference, columns, .. } = &measured.cell;
    let figures = |title| of_each_metric(measured, |metric| measured.figure(title, metric));
    let columns: BTreeMap<_, _> = columns.iter().map(|column| (column.title, figures(column.title))).collect();
    json!({
        "name": name,
        "table": table,
        "row": row,
        "columns": columns,
        "reference": reference,
        "ratio": of_each_metric(measured, |metric| measured.ratio(metric)),
        "bars": judge(measured).map(|judged| bar(&judged)).collect::<Vec<_>>(),
    })
}

fn bar(judged: &Judged<'_>) -> Value {
    let Judged { bar, value, verdict } = judged;
    json!({
        "name": bar.name,
        "metric": bar.metric,
        "value": value.map(|value| value.median),
        "limit": bar.limit.number(),
        "ok": *verdict != Verdict::Short,
        "within_spread": *verdict == Verdict::WithinSpread,
    })
}

/// What there is to say of each metric that any sample has.
fn of_each_metric(measured: &Measured, say: impl Fn(Metric) -> Option<Summary>) -> BTreeMap<Metric, Summary> {
    let metrics = measured.samples.iter().flatten().flat_map(Sample::metrics);
    metrics.filter_map(|metric| Some((metric, say(metric)?))).collect()
}
