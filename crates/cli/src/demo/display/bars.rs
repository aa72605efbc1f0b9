//! Live bars, for a terminal: the run, and below it each backend with its share of the last second's calls.

use std::{io, time::Duration};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Display;
use crate::demo::{
    figures::{self, share, short},
    ledger::{Account, Ledger},
};

/// How often the bars move.
const PER_SECOND: u8 = 4;
/// How many backends have a bar: as many as a small terminal has room for. The summary has them all.
const SHOWN: usize = 16;
/// The steps of a bar.
const STEPS: u64 = 1000;

/// Bars that stay in their place; lines scroll by above them. They fit into 80 columns and 24 rows.
#[derive(Debug)]
pub(super) struct Bars {
    all: MultiProgress,
    heading: ProgressBar,
    run: ProgressBar,
    backends: Vec<ProgressBar>,
    duration: Duration,
}

impl Bars {
    /// Bars for a run of this length with so many backends.
    pub(super) fn new(duration: Duration, backends: usize) -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stdout_with_hz(2 * PER_SECOND));
        let bar = |template, name: String| {
            let bar = all.add(ProgressBar::new(STEPS));
            bar.set_style(style(template));
            bar.set_prefix(name);
            bar
        };
        let heading = bar("{prefix:10}              {msg}", String::new());
        let run = bar("{prefix:10} {bar:12.dim} {msg}", "run".into());
        let of_backend = |backend| bar("{prefix:10} {bar:12.green} {msg}", figures::name(backend));
        let backends = (0..backends.min(SHOWN)).map(of_backend).collect();
        Self { all, heading, run, backends, duration }
    }

    fn refresh_run(&self, elapsed: Duration, all: &Account, second: &Account) {
        let seconds = [elapsed, self.duration].map(|time| time.as_secs_f64());
        self.heading.set_prefix(format!("{:.0}s of {:.0}s", seconds[0], seconds[1]));
        self.heading.set_message(columns("share", "state", ["ok", "failed", "p50", "p99"]));
        self.run.set_position(steps(seconds[0] / seconds[1]));
        self.run.set_message(row("", &format!("{} calls/s", second.calls()), all, second));
    }

    /// `calls` is how many calls there were in the last second, over all backends.
    fn refresh_backend(&self, backend: usize, ledger: &Ledger, calls: u64) {
        let (all, second) = (ledger.of(backend), ledger.recently_of(backend));
        let share = share(second.calls(), calls);
        let state = ledger.connection(backend).to_string();
        let bar = &self.backends[backend];
        // A bar that is half full has its fair share.
        bar.set_position(steps(share * ledger.backends().len() as f64 / 2.0));
        bar.set_message(row(&format!("{:.0}%", 100.0 * share), &state, all, &second));
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).expect("the template is well formed");
    style.progress_chars("█▉▊▋▌▍▎▏ ")
}

/// How far a bar of this share is filled.
fn steps(share: f64) -> u64 {
    (STEPS as f64 * share.min(1.0)) as u64
}

/// The figures behind a bar: counts of the whole run, latencies of the last second.
fn row(share: &str, state: &str, all: &Account, second: &Account) -> String {
    let times = second.percentiles();
    let figures = [all.ok.to_string(), all.failures().to_string(), short(times.p50), short(times.p99)];
    columns(share, state, figures.each_ref().map(String::as_str))
}

fn columns(share: &str, state: &str, [ok, failed, p50, p99]: [&str; 4]) -> String {
    format!("{share:>5} {state:17} {ok:>7} {failed:>6} {p50:>6} {p99:>6}")
}

impl Display for Bars {
    fn refreshes_per_second(&self) -> u32 {
        PER_SECOND.into()
    }

    fn refresh(&mut self, elapsed: Duration, ledger: &Ledger) -> io::Result<()> {
        let second = ledger.recently();
        self.refresh_run(elapsed, &ledger.all(), &second);
        (0..self.backends.len()).for_each(|backend| self.refresh_backend(backend, ledger, second.calls()));
        Ok(())
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        self.all.println(text)
    }

    fn close(&mut self) -> io::Result<()> {
        self.all.clear()?;
        // Bars draw themselves once more when they are dropped.
        self.all.set_draw_target(ProgressDrawTarget::hidden());
        Ok(())
    }
}
