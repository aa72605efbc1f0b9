//! The account of one backend: its calls, by how they ended, and their latencies.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use thalweg::core::status::Code;

use crate::demo::{figures::Percentiles, load::Outcome};

/// Latencies are told apart up to this one, in microseconds; no call lives that long.
const LONGEST_MICROS: u64 = 10_000_000;
/// The precision of latencies.
const DIGITS: u8 = 3;

/// Calls, by how they ended.
#[derive(Clone, Debug)]
pub(in crate::demo) struct Account {
    pub(in crate::demo) ok: u64,
    pub(in crate::demo) failed: BTreeMap<Code, u64>,
    /// Of calls that were answered, in microseconds.
    latency: Histogram<u64>,
}

impl Default for Account {
    fn default() -> Self {
        let latency = Histogram::new_with_max(LONGEST_MICROS, DIGITS).expect("a histogram may have these bounds");
        Self { ok: 0, failed: BTreeMap::new(), latency }
    }
}

impl Account {
    /// Enters a call.
    pub(super) fn enter(&mut self, outcome: &Outcome) {
        match &outcome.result {
            Ok(()) => {
                self.ok += 1;
                let took = outcome.ended.saturating_duration_since(outcome.begun);
                self.latency.saturating_record(u64::try_from(took.as_micros()).unwrap_or(LONGEST_MICROS));
            }
            Err(status) => *self.failed.entry(code(status)).or_default() += 1,
        }
    }

    /// Enters all calls of another account.
    pub(super) fn enter_all(&mut self, other: &Self) {
        self.ok += other.ok;
        for (code, number) in &other.failed {
            *self.failed.entry(*code).or_default() += number;
        }
        self.latency.add(&other.latency).expect("all accounts have the same bounds");
    }

    /// The sum of accounts.
    pub(super) fn sum<'a>(accounts: impl IntoIterator<Item = &'a Self>) -> Self {
        accounts.into_iter().fold(Self::default(), |mut sum, account| {
            sum.enter_all(account);
            sum
        })
    }

    /// How many calls there were.
    pub(in crate::demo) fn calls(&self) -> u64 {
        self.ok + self.failures()
    }

    /// How many of them failed.
    pub(in crate::demo) fn failures(&self) -> u64 {
        self.failed.values().sum()
    }

    /// How long the answered ones took.
    pub(in crate::demo) fn percentiles(&self) -> Percentiles {
        Percentiles::of(&self.latency)
    }
}

/// The code of a status.
pub(super) fn code(status: &tonic::Status) -> Code {
    Code::from_number(status.code() as u64).unwrap_or(Code::Unknown)
}
