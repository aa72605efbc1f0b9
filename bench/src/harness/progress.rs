//! What a run shows on standard error: a bar on a terminal, a line per sample elsewhere.

use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressStyle};

use crate::sample::Sample;

/// Where a run stands.
#[derive(Debug)]
pub(super) struct Step<'a> {
    pub(super) round: usize,
    pub(super) rounds: usize,
    pub(super) cell: &'a str,
    pub(super) column: &'a str,
}

/// The display of one run.
#[derive(Debug)]
pub(super) struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Starts at nothing of `samples`.
    pub(super) fn new(samples: usize) -> Self {
        let bar = stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{wide_bar} {pos}/{len}  {elapsed} of about {duration}\n{msg}");
            let bar = ProgressBar::new(samples as u64);
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Self { bar }
    }

    /// A sample is being taken.
    pub(super) fn begin(&self, step: &Step<'_>) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("round {} of {}: {} {}", step.round, step.rounds, step.cell, step.column));
        }
    }

    /// A sample has been taken.
    pub(super) fn end(&self, step: &Step<'_>, sample: &Sample) {
        match &self.bar {
            Some(bar) => bar.inc(1),
            None => eprintln!("round {} of {}: {} {}: {sample}", step.round, step.rounds, step.cell, step.column),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
