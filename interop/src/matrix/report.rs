//! What the matrix prints: a line for each cell, and the counts at the end.

use std::{fmt::Display, time::Duration};

use super::plan::Pair;

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

    pub(super) fn passed(&mut self, pair: Pair, case: &str, took: Duration) {
        self.line(pair, case, format_args!("ok       {:.2} s", took.as_secs_f64()));
        self.passed += 1;
    }

    pub(super) fn failed(&mut self, pair: Pair, case: &str, why: impl Display) {
        self.line(pair, case, format_args!("FAILED   {why}"));
        self.failed.push(named(pair, case));
    }

    pub(super) fn skipped(&mut self, pair: Pair, case: &str, why: impl Display) {
        self.line(pair, case, format_args!("skipped  {why}"));
        self.skipped += 1;
    }

    fn line(&self, pair: Pair, case: &str, verdict: impl Display) {
        let number = self.passed + self.failed.len() + self.skipped + 1;
        let width = self.total.to_string().len();
        println!("[{number:>width$}/{}] {} {verdict}", self.total, named(pair, case));
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

fn named(Pair { client, server, security }: Pair, case: &str) -> String {
    format!("{client:>7} -> {server:<7}  {security:<9}  {case:<27}")
}
