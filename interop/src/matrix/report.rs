//! What the matrix prints: a line for each cell, and the counts at the end.

use std::{fmt::Display, time::Duration};

use super::peer::Cell;

/// Counts the cells, and prints each as it is decided.
#[derive(Debug)]
pub(super) struct Report {
    total: usize,
    passed: usize,
    failed: Vec<String>,
    skipped: usize,
}

impl Report {
    pub(super) fn new(total: usize) -> Self {
        Self { total, passed: 0, failed: Vec::new(), skipped: 0 }
    }

    pub(super) fn passed(&mut self, cell: Cell<'_>, took: Duration) {
        self.line(cell, format_args!("ok       {:.2} s", took.as_secs_f64()));
        self.passed += 1;
    }

    pub(super) fn failed(&mut self, cell: Cell<'_>, why: impl Display) {
        self.line(cell, format_args!("FAILED   {why}"));
        self.failed.push(cell.to_string());
    }

    pub(super) fn skipped(&mut self, cell: Cell<'_>, why: impl Display) {
        self.line(cell, format_args!("skipped  {why}"));
        self.skipped += 1;
    }

    fn line(&self, cell: Cell<'_>, verdict: impl Display) {
        let number = self.passed + self.failed.len() + self.skipped + 1;
        let width = self.total.to_string().len();
        println!("[{number:>width$}/{}] {cell} {verdict}", self.total);
    }

    /// Prints the counts, and says whether no cell failed.
    pub(super) fn end(self) -> bool {
        if !self.failed.is_empty() {
            println!("\nfailed:");
            self.failed.iter().for_each(|cell| println!("  {cell}"));
        }
        println!("\n{} passed, {} failed, {} skipped", self.passed, self.failed.len(), self.skipped);
        self.failed.is_empty()
    }
}
