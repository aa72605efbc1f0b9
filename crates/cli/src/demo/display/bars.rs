//! Live bars, for a terminal: the run, and below it each backend with its share of the last second's calls.

use std::{io, time::Duration};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Display;
use crate::demo::{
    figures::{self, share, short},
    ledger::Ledger,
};

/// How often the bars move.
const PER_SECOND: u8 = 4;
/// The steps of a bar.
const STEPS: u64 = 1000;

/// Bars that stay in their place; lines scroll by above them.
#[derive(Debug)]
pub(super) struct Bars {
    all: MultiProgress,
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
        let run = bar("{prefix:10} {bar:24.dim} {msg}", "all".into());
        let backends =
            (0..backends).map(|backend| bar("{prefix:10} {bar:24.green} {msg}", figures::name(backend))).collect();
        Self { all, run, backends, duration }
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).expect("the template is well formed");
    style.progress_chars("█▉▊▋▌▍▎▏ ")
}

impl Display for Bars {
    fn refreshes_per_second(&self) -> u32 {
        PER_SECOND.into()
    }

    fn refresh(&mut self, elapsed: Duration, ledger: &Ledger) -> io::Result<()> {
        let (all, second) = (ledger.all(), ledger.recently());
        let times = second.percentiles();
        self.run.set_position((STEPS as f64 * elapsed.div_duration_f64(self.duration)) as u64);
        self.run.set_message(format!(
            "{:.0}s of {:.0}s  {} calls/s  {} ok  {} failed  p50 {}  p99 {}",
            elapsed.as_secs_f64(),
            self.duration.as_secs_f64(),
            second.calls(),
            all.ok,
            all.failures(),
            short(times.p50),
            short(times.p99),
        ));
        for (backend, bar) in self.backends.iter().enumerate() {
            let account = ledger.recently_of(backend);
            let share = share(account.calls(), second.calls());
            // A bar that is half full has its fair share.
            let full = (2.0 / self.backends.len() as f64).min(1.0);
            bar.set_position((STEPS as f64 * (share / full).min(1.0)) as u64);
            let times = account.percentiles();
            bar.set_message(format!(
                "{:3.0}%  {:17}  {} ok  {} failed  p50 {}  p99 {}",
                100.0 * share,
                ledger.connection(backend).to_string(),
                ledger.of(backend).ok,
                ledger.of(backend).failures(),
                short(times.p50),
                short(times.p99),
            ));
        }
        Ok(())
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        self.all.println(text)
    }

    fn close(&mut self) -> io::Result<()> {
        self.all.clear()
    }
}
