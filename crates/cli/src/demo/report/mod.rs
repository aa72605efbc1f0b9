//! The summary: a table and a verdict to read, and one line of JSON for programs.

#[cfg(test)]
mod tests;

use std::{fmt::Write, time::Duration};

use serde_json::{Map, Value, json};

use super::{
    figures::{self, Percentiles, counted, millis, share, short},
    ledger::{Account, Ledger},
};

/// A run that is over.
#[derive(Debug)]
pub(super) struct Report<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) policy: &'a str,
    pub(super) elapsed: Duration,
    pub(super) interrupted: bool,
}

impl Report<'_> {
    /// Did nothing fail but calls that a killed backend had?
    pub(super) fn is_as_told(&self) -> bool {
        self.ledger.unexpected().is_empty()
    }

    /// The table and the verdict. `pace` is about how long each backend takes for a call.
    pub(super) fn text(&self, pace: impl Fn(usize) -> Duration) -> String {
        let all = self.ledger.all();
        let calls = all.calls();
        let mut text = row(["", "pace", "calls", "share", "ok", "failed", "p50", "p90", "p99", "max"]);
        for backend in self.ledger.backends() {
            text += &account_row(&figures::name(backend), &short(pace(backend)), self.ledger.of(backend), calls);
        }
        if self.ledger.lost().calls() > 0 {
            text += &account_row("(none)", "", self.ledger.lost(), calls);
        }
        text += &account_row("all", "", &all, calls);
        text.push('\n');
        for sentence in self.verdict() {
            text += &sentence;
            text.push('\n');
        }
        text
    }

    fn verdict(&self) -> Vec<String> {
        let mut sentences = vec![];
        let drained: Vec<_> = self.ledger.drained().map(figures::name).collect();
        if !drained.is_empty() && self.is_as_told() {
            sentences.push(format!("Drained: {}. No call failed for it.", drained.join(", ")));
        }
        for (backend, victims) in self.ledger.killed() {
            let name = figures::name(backend);
            let victims = counted(victims);
            sentences.push(format!("Killed: {name}. {victims} that had reached it failed with UNAVAILABLE."));
        }
        for ((code, reached), failures) in self.ledger.unexpected() {
            let place = reached.map_or("no backend".into(), figures::name);
            let (code, calls, message) = (code.name(), counted(failures.calls), &failures.message);
            sentences.push(format!("UNEXPECTED: {calls} that had reached {place} failed with {code}: {message}"));
        }
        if self.is_as_told() {
            sentences.push("Nothing else failed.".into());
        }
        if self.interrupted {
            sentences.push(format!("Interrupted after {}.", short(self.elapsed)));
        }
        sentences
    }

    /// The report as one JSON object. Latencies are in milliseconds, of calls that were answered.
    pub(super) fn json(&self) -> Value {
        let all = self.ledger.all();
        let calls = all.calls();
        let backends = self.ledger.backends().map(|backend| {
            let account = self.ledger.of(backend);
            let mut entry = of_account(account);
            entry.insert("name".into(), figures::name(backend).into());
            entry.insert("state".into(), self.ledger.connection(backend).to_string().into());
            entry.insert("share".into(), rounded(share(account.calls(), calls)).into());
            entry.into()
        });
        let backends: Vec<Value> = backends.collect();
        let killed = self.ledger.killed().map(|(backend, victims)| (figures::name(backend), victims.into()));
        let unexpected: u64 = self.ledger.unexpected().values().map(|failures| failures.calls).sum();
        let mut report = of_account(&all);
        report.extend([
            ("policy".into(), self.policy.into()),
            ("seconds".into(), rounded(self.elapsed.as_secs_f64()).into()),
            ("interrupted".into(), self.interrupted.into()),
            ("backends".into(), backends.into()),
            ("reached_none".into(), self.ledger.lost().calls().into()),
            ("drained".into(), self.ledger.drained().map(figures::name).collect()),
            ("killed".into(), Value::Object(killed.collect())),
            ("unexpected".into(), unexpected.into()),
        ]);
        report.into()
    }
}

fn of_account(account: &Account) -> Map<String, Value> {
    let failed = account.failed.iter().map(|(code, calls)| (code.name().to_owned(), (*calls).into()));
    let failed: Map<_, _> = failed.collect();
    let mut entry = Map::new();
    entry.insert("calls".into(), account.calls().into());
    entry.insert("ok".into(), account.ok.into());
    entry.insert("failed".into(), failed.into());
    entry.insert("latency_ms".into(), of_times(&account.percentiles()));
    entry
}

fn of_times(times: &Percentiles) -> Value {
    times.named().into_iter().map(|(name, time)| (name.to_owned(), json!(millis(time)))).collect()
}

/// To three decimal places.
fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

fn account_row(name: &str, pace: &str, account: &Account, calls: u64) -> String {
    let share = format!("{:.1}%", 100.0 * share(account.calls(), calls));
    let [total, ok, failed] = [account.calls(), account.ok, account.failures()].map(|number| number.to_string());
    let [p50, p90, p99, max] = account.percentiles().named().map(|(_, time)| short(time));
    row([name, pace, &total, &share, &ok, &failed, &p50, &p90, &p99, &max])
}

/// One line of the table, within 80 columns.
fn row([name, pace, calls, share, ok, failed, p50, p90, p99, max]: [&str; 10]) -> String {
    let mut line = format!("{name:10} {pace:>6} {calls:>8} {share:>6} {ok:>8} {failed:>6}");
    for time in [p50, p90, p99, max] {
        // Writing to a string cannot fail.
        let _ = write!(line, " {time:>6}");
    }
    line.push('\n');
    line
}
