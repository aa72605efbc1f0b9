//! Tables for people: a table per kind of load, five lines per cell.

use std::fmt::Write as _;

use super::{figure, judge};
use crate::{
    bar::Verdict,
    harness::{Measured, OURS, THEIRS},
    sample::Metric,
    stats::Summary,
};

/// All tables, in the order in which the benchmark lists its cells.
pub(crate) fn tables(measured: &[Measured]) -> String {
    let same_table = |left: &Measured, right: &Measured| left.cell.table == right.cell.table;
    measured.chunk_by(same_table).map(table).collect::<Vec<_>>().join("\n")
}

/// The cells of one table; they all have the same columns.
fn table(cells: &[Measured]) -> String {
    let Some(first) = cells.first() else { return String::new() };
    let mut head = format!("{:<6} {:<18}", "", "median of rounds");
    for column in &first.cell.columns {
        let _infallible = write!(head, " {:>10}", column.title);
    }
    let mut table = format!("{}\n{head}  {OURS}/{THEIRS} (pairs)\n", first.cell.table);
    for cell in cells {
        table.push_str(&rows(cell));
    }
    table
}

fn rows(measured: &Measured) -> String {
    let mut rows = String::new();
    for (line, metric) in Metric::ALL.into_iter().enumerate() {
        let label = if line == 0 { measured.cell.row.as_str() } else { "" };
        let mut row = format!("{label:<6} {:<18}", metric.title());
        for column in &measured.cell.columns {
            let value = figure(measured.samples_of(column.title), metric);
            let _infallible =
                write!(row, " {:>10}", value.map_or_else(|| "-".to_owned(), |value| median(metric, &value)));
        }
        if let Some(Summary { median, min, max }) = measured.ratio(metric) {
            let _infallible = write!(row, "  {median:.2} ({min:.2}..{max:.2})");
        }
        if metric == measured.cell.bar.metric {
            row.push_str(&verdict(measured));
        }
        rows.push_str(row.trim_end());
        rows.push('\n');
    }
    rows
}

fn median(metric: Metric, value: &Summary) -> String {
    match metric {
        Metric::ClientCpu | Metric::ServerCpu => format!("{:.2}", value.median),
        Metric::CallsPerSecond => format!("{:.0}", value.median),
        Metric::P50 | Metric::P99 => format!("{:.1}", value.median),
    }
}

fn verdict(measured: &Measured) -> String {
    let limit = measured.cell.bar.limit;
    match judge(measured).map(|judged| judged.verdict) {
        None => String::new(),
        Some(Verdict::Ok) => format!("  ok, at most {limit:.2}"),
        Some(Verdict::WithinSpread) => format!("  ok, above {limit:.2} but within the pairs' spread"),
        Some(Verdict::Short) => format!("  SHORT, at most {limit:.2}"),
    }
}
