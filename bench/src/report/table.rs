//! Tables for people: a table per kind of load, a line per cell and figure.

use std::{collections::BTreeSet, fmt::Write as _};

use super::{Judged, judge};
use crate::{
    bar::Verdict,
    harness::{Cell, Measured, OURS},
    sample::{Metric, Sample},
    stats::Summary,
};

/// All tables, in the order in which the benchmark lists its cells.
pub(crate) fn tables(measured: &[Measured]) -> String {
    let same_table = |left: &Measured, right: &Measured| left.cell.table == right.cell.table;
    measured.chunk_by(same_table).map(table).collect::<Vec<_>>().join("\n")
}

/// The cells of one table; what some don't have among the columns of others is a dash.
fn table(cells: &[Measured]) -> String {
    let Some(fullest) = cells.iter().max_by_key(|measured| measured.cell.columns.len()) else { return String::new() };
    let titles: Vec<&str> = fullest.cell.columns.iter().map(|column| column.title).collect();
    let width = cells.iter().map(|measured| measured.cell.row.len()).max().unwrap_or_default().max(6);
    let mut head = format!("{:<width$} {:<18}", "", "median of rounds");
    for title in &titles {
        let _infallible = write!(head, " {title:>11}");
    }
    let Cell { table, reference, .. } = &fullest.cell;
    let pairs = if titles.contains(reference) { format!("  {OURS}/{reference} (pairs)") } else { String::new() };
    let mut table = format!("{table}\n{head}{pairs}\n");
    for cell in cells {
        table.push_str(&rows(cell, &titles, width));
    }
    table
}

/// A line for every figure that was, or should have been, measured.
fn rows(measured: &Measured, titles: &[&str], width: usize) -> String {
    let held = measured.cell.bars.iter().map(|bar| bar.metric);
    let metrics: BTreeSet<Metric> = measured.samples.iter().flatten().flat_map(Sample::metrics).chain(held).collect();
    let mut rows = String::new();
    for (line, metric) in metrics.into_iter().enumerate() {
        let label = if line == 0 { measured.cell.row.as_str() } else { "" };
        let mut row = format!("{label:<width$} {:<18}", metric.title());
        for title in titles {
            let figure = measured.figure(title, metric);
            let _infallible =
                write!(row, " {:>11}", figure.map_or_else(|| "-".to_owned(), |figure| metric.text(figure.median)));
        }
        if let Some(Summary { median, min, max }) = measured.ratio(metric) {
            let _infallible = write!(row, "  {median:.2} ({min:.2}..{max:.2})");
        }
        for judged in judge(measured).filter(|judged| judged.bar.metric == metric) {
            row.push_str(&verdict(&judged));
        }
        rows.push_str(row.trim_end());
        rows.push('\n');
    }
    rows
}

fn verdict(judged: &Judged<'_>) -> String {
    let limit = judged.bar.limit;
    match judged.verdict {
        Verdict::Ok => format!("  ok, {limit}"),
        Verdict::WithinSpread => format!("  ok, above {:.2} but within the pairs' spread", limit.number()),
        Verdict::Short => format!("  SHORT, {limit}"),
    }
}
