//! What a run prints: tables for people, one JSON object for programs, a line per bar for `--check`.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::{
    bar::Verdict,
    harness::{Cell, Ended, Measured},
    sample::{Metric, Sample},
    stats::{self, Summary},
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
    /// Seconds of a window.
    pub(crate) seconds: f64,
    /// Seconds of load before each window.
    pub(crate) warm_up: f64,
}

/// The bar of a cell, judged.
#[derive(Clone, Copy, Debug)]
struct Judged {
    ratio: Summary,
    verdict: Verdict,
}

fn judge(measured: &Measured) -> Option<Judged> {
    let bar = measured.cell.bar;
    let ratio = measured.ratio(bar.metric)?;
    Some(Judged { ratio, verdict: bar.judge(&ratio) })
}

/// `bar NAME VALUE LIMIT ok|short`, a line for every cell with at least one pair.
pub(crate) fn bars(measured: &[Measured]) -> String {
    let mut lines = String::new();
    for (cell, judged) in measured.iter().filter_map(|measured| Some((&measured.cell, judge(measured)?))) {
        let verdict = if judged.verdict == Verdict::Short { "short" } else { "ok" };
        let _infallible =
            writeln!(lines, "bar {} {:.3} {:.2} {verdict}", cell.name, judged.ratio.median, cell.bar.limit);
    }
    lines
}

/// Whether any bar is missed.
pub(crate) fn any_short(measured: &[Measured]) -> bool {
    measured.iter().filter_map(judge).any(|judged| judged.verdict == Verdict::Short)
}

/// The whole run as one JSON object.
pub(crate) fn json(settings: &Settings, ended: Ended, measured: &[Measured]) -> Value {
    json!({
        "benchmark": settings.benchmark,
        "rounds": settings.rounds,
        "seconds": settings.seconds,
        "warm_up": settings.warm_up,
        "cpus": std::thread::available_parallelism().ok(),
        "interrupted": ended == Ended::Interrupted,
        "cells": measured.iter().map(cell).collect::<Vec<_>>(),
    })
}

fn cell(measured: &Measured) -> Value {
    let Cell { name, table, row, bar, columns } = &measured.cell;
    let columns: Map<String, Value> =
        columns.iter().map(|column| (column.title.to_owned(), figures(measured.samples_of(column.title)))).collect();
    let ratio: Map<String, Value> = Metric::ALL
        .into_iter()
        .filter_map(|metric| Some((metric.key().to_owned(), json!(measured.ratio(metric)?))))
        .collect();
    let judged = judge(measured).map(|judged| {
        json!({
            "metric": bar.metric.key(),
            "value": judged.ratio.median,
            "limit": bar.limit,
            "ok": judged.verdict != Verdict::Short,
            "within_spread": judged.verdict == Verdict::WithinSpread,
        })
    });
    json!({ "name": name, "table": table, "row": row, "columns": columns, "ratio": ratio, "bar": judged })
}

fn figures(samples: &[Sample]) -> Value {
    let figure = |metric: Metric| Some((metric.key().to_owned(), json!(figure(samples, metric)?)));
    Value::Object(Metric::ALL.into_iter().filter_map(figure).collect())
}

/// One figure over the rounds; none if no sample has it.
fn figure(samples: &[Sample], metric: Metric) -> Option<Summary> {
    stats::summary(samples.iter().filter_map(|sample| metric.of(sample)))
}
