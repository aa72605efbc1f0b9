//! Runs a benchmark: rounds of cells, each cell's columns next to each other, every process on its own.
//!
//! A round visits the cells in a shuffled order and within a cell the columns in a shuffled order, so that neither a
//! slow minute of the machine nor a place in line favours anybody. Columns of one visit that want the same server share
//! its process. [`OURS`] and the column it is compared with form a pair in every round.

use crate::{
    bar::{Bar, Subject},
    clients::ClientArgs,
    error::Error,
    sample::{Metric, Sample},
    servers::ServerArgs,
    stats::{self, Summary},
};

mod child;
mod progress;

#[cfg(test)]
mod tests;

use self::{
    child::Server,
    progress::{Progress, Step},
};

/// The column that is held to bars.
pub(crate) const OURS: &str = "thalweg";

/// One column of a cell: who calls whom.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    /// What the report calls it.
    pub(crate) title: &'static str,
    /// The server, if the client needs one.
    pub(crate) server: Option<ServerArgs>,
    /// The client.
    pub(crate) client: ClientArgs,
}

/// One cell: several columns under the same load.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    /// Its name, unique within the benchmark.
    pub(crate) name: String,
    /// The title of the table it stands in.
    pub(crate) table: String,
    /// What tells it from the other cells of its table.
    pub(crate) row: String,
    /// The title of the column that [`OURS`] is compared with.
    pub(crate) reference: &'static str,
    /// What its rounds are held to.
    pub(crate) bars: Vec<Bar>,
    /// Its columns, in the order of the report.
    pub(crate) columns: Vec<Column>,
}

impl Cell {
    /// Keeps only the columns that its bars need.
    pub(crate) fn without_bystanders(mut self) -> Self {
        let compares = self.bars.iter().any(|bar| bar.subject == Subject::Ratio);
        self.columns.retain(|column| column.title == OURS || compares && column.title == self.reference);
        self
    }

    /// Its own name and those of its bars.
    fn names(&self) -> impl Iterator<Item = &str> {
        self.bars.iter().map(|bar| &bar.name).chain([&self.name]).map(String::as_str)
    }
}

/// A cell and what its columns measured so far.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    /// The cell.
    pub(crate) cell: Cell,
    /// For each column one sample per round.
    pub(crate) samples: Vec<Vec<Sample>>,
}

impl Measured {
    /// A cell before the first round.
    pub(crate) fn nothing_of(cell: Cell) -> Self {
        let samples = vec![Vec::new(); cell.columns.len()];
        Self { cell, samples }
    }

    /// The samples of a column; none if the cell has no such column.
    pub(crate) fn samples_of(&self, title: &str) -> &[Sample] {
        let column = self.cell.columns.iter().position(|column| column.title == title);
        column.map_or(&[], |column| &self.samples[column])
    }

    /// A figure of a column over the rounds; none if it was not measured.
    pub(crate) fn figure(&self, title: &str, metric: Metric) -> Option<Summary> {
        stats::summary(self.samples_of(title).iter().filter_map(|sample| sample.get(metric)))
    }

    /// The ratio of [`OURS`] to the reference over the pairs; none if there is no pair, or nothing of the kind in it.
    pub(crate) fn ratio(&self, metric: Metric) -> Option<Summary> {
        let pairs = self.samples_of(OURS).iter().zip(self.samples_of(self.cell.reference));
        stats::ratio(pairs.filter_map(|(ours, theirs)| ours.get(metric).zip(theirs.get(metric))))
    }

    /// What a bar holds to its limit; none if it was not measured.
    pub(crate) fn value(&self, bar: &Bar) -> Option<Summary> {
        match bar.subject {
            Subject::Ratio => self.ratio(bar.metric),
            Subject::Figure => self.figure(OURS, bar.metric),
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// All rounds are done.
    Finished,
    /// By Ctrl-C.
    Interrupted,
}

/// Keeps the cells that `--only` names, by their own names or those of their bars: a whole name selects that cell alone,
/// anything else every cell that has it in a name. Nothing named keeps all.
///
/// # Errors
///
/// A pattern selects nothing.
pub(crate) fn select(mut cells: Vec<Cell>, only: &[String]) -> Result<Vec<Cell>, Error> {
    if only.is_empty() {
        return Ok(cells);
    }
    let mut keep = vec![false; cells.len()];
    for pattern in only {
        let whole = cells.iter().any(|cell| cell.names().any(|name| name == pattern));
        let mut found = false;
        for (cell, keep) in cells.iter().zip(&mut keep) {
            let named = cell.names().any(|name| if whole { name == pattern } else { name.contains(pattern.as_str()) });
            *keep |= named;
            found |= named;
        }
        if !found {
            return Err(Error::NoSuchCell(pattern.clone()));
        }
    }
    let mut keep = keep.into_iter();
    cells.retain(|_| keep.next().unwrap_or(false));
    Ok(cells)
}

/// Runs all rounds. Ctrl-C ends the run and its processes at once, and what was measured until then stays.
///
/// # Errors
///
/// A process fails.
pub(crate) async fn run(cells: &mut [Measured], rounds: usize) -> Result<Ended, Error> {
    tokio::select! {
        finished = run_rounds(cells, rounds) => finished.map(|()| Ended::Finished),
        signal = tokio::signal::ctrl_c() => signal.map(|()| Ended::Interrupted).map_err(Error::io("Ctrl-C")),
    }
}

async fn run_rounds(cells: &mut [Measured], rounds: usize) -> Result<(), Error> {
    let per_round: usize = cells.iter().map(|measured| measured.cell.columns.len()).sum();
    let progress = Progress::new(per_round * rounds);
    for round in 1..=rounds {
        for at in shuffled(cells.len()) {
            let Measured { cell, samples } = &mut cells[at];
            let mut server = None;
            for column in shuffled(cell.columns.len()) {
                let Column { title, server: wanted, client } = &cell.columns[column];
                server = Server::ready_for(server, *wanted).await?;
                let step = Step { round, rounds, cell: &cell.name, column: title };
                progress.begin(&step);
                let sample = child::run_client(client, server.as_ref().filter(|_| wanted.is_some())).await?;
                progress.end(&step, &sample);
                samples[column].push(sample);
            }
        }
    }
    Ok(())
}

fn shuffled(len: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    fastrand::shuffle(&mut order);
    order
}
