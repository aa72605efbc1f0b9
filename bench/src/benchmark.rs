//! What all benchmarks have in common: their options, and the way from cells to a report and an exit code.

use clap::Args;

use crate::{
    error::Error,
    harness::{self, Cell, Ended, Measured},
    report::{self, Settings},
};

/// Pairs that it takes for a verdict on a ratio.
pub(crate) const LEAST_ROUNDS: usize = 5;
/// Seconds of a window in a report; under `--check`, enough for a verdict within minutes.
const SECONDS: f64 = 2.0;
pub(crate) const SECONDS_OF_CHECK: f64 = 0.7;

/// The options of every benchmark.
#[derive(Clone, Debug, Args)]
pub(crate) struct RunArgs {
    /// Rounds; each gives every column of every cell one sample [default: 5, of memory 1].
    #[arg(long)]
    rounds: Option<usize>,
    /// Prints one JSON object instead of tables, on the last line.
    #[arg(long)]
    json: bool,
    /// Measures only what bars need, prints a line per bar, and exits with 1 if any is short.
    #[arg(long)]
    check: bool,
    /// Measures only the cells with this in their name or a bar's, or the one of exactly this name; may be repeated.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
}

/// The options of a benchmark that puts on load for a while.
#[derive(Clone, Debug, Args)]
pub(crate) struct LoadArgs {
    /// What to run, and what to print.
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// Seconds that each sample measures, after a warm-up [default: 2, with --check 0.7].
    #[arg(long)]
    seconds: Option<f64>,
}

impl LoadArgs {
    /// Seconds of a window.
    pub(crate) fn seconds(&self) -> f64 {
        self.seconds.unwrap_or(if self.run.check { SECONDS_OF_CHECK } else { SECONDS })
    }
}

/// A benchmark, ready to run.
#[derive(Debug)]
pub(crate) struct Benchmark {
    /// Its subcommand.
    pub(crate) name: &'static str,
    /// Its cells, in the order of the report.
    pub(crate) cells: Vec<Cell>,
    /// Seconds of a window; none if time is not what ends a sample.
    pub(crate) seconds: Option<f64>,
    /// Rounds by default, and those that a verdict takes.
    pub(crate) least_rounds: usize,
}

/// What a run of a benchmark came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It ended, and no bar that was to be checked is short.
    Fine,
    /// `--check` found a bar short.
    Short,
    /// Ctrl-C.
    Interrupted,
}

impl Benchmark {
    /// A benchmark that puts on load for a while.
    pub(crate) fn of_load(name: &'static str, args: &LoadArgs, cells: impl Fn(f64) -> Vec<Cell>) -> Self {
        let seconds = args.seconds();
        Self { name, cells: cells(seconds), seconds: Some(seconds), least_rounds: LEAST_ROUNDS }
    }

    /// Runs it and prints its report on standard output.
    ///
    /// # Errors
    ///
    /// An option makes no sense, or a process fails.
    pub(crate) async fn run(self, args: &RunArgs) -> Result<Outcome, Error> {
        let rounds = args.rounds.unwrap_or(self.least_rounds);
        if args.check && rounds < self.least_rounds {
            return Err(Error::TooFewRounds { rounds, least: self.least_rounds });
        }
        let mut cells = harness::select(self.cells, &args.only)?;
        if args.check {
            cells = cells.into_iter().map(Cell::without_bystanders).collect();
        }
        let mut measured: Vec<Measured> = cells.into_iter().map(Measured::nothing_of).collect();
        let ended = harness::run(&mut measured, rounds).await?;
        if !args.json {
            println!("{}", report::tables(&measured));
        }
        if args.check {
            print!("{}", report::bars(&measured));
        }
        if args.json {
            let settings = Settings { benchmark: self.name, rounds, seconds: self.seconds };
            println!("{}", report::json(&settings, ended, &measured));
        }
        Ok(match ended {
            Ended::Interrupted => Outcome::Interrupted,
            Ended::Finished if args.check && report::any_short(&measured) => Outcome::Short,
            Ended::Finished => Outcome::Fine,
        })
    }
}
