//! Plain lines, for pipes and files: one a second, and one for everything that happens.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    time::Duration,
};

use super::Display;
use crate::demo::{
    figures::{self, share, short},
    ledger::Ledger,
};

#[derive(Debug)]
pub(super) struct Lines;

impl Display for Lines {
    fn refreshes_per_second(&self) -> u32 {
        1
    }

    fn refresh(&mut self, elapsed: Duration, ledger: &Ledger) -> io::Result<()> {
        let second = ledger.recently();
        let times = second.percentiles();
        let mut text = format!(
            "{:5.1}s  {} ok, {} failed, p50 {}, p99 {}",
            elapsed.as_secs_f64(),
            second.ok,
            second.failures(),
            short(times.p50),
            short(times.p99),
        );
        for backend in ledger.backends() {
            let (account, state) = (ledger.recently_of(backend), ledger.connection(backend));
            let percent = 100.0 * share(account.calls(), second.calls());
            let p50 = short(account.percentiles().p50);
            // Writing to a string cannot fail.
            let _ = write!(text, " | {} {state} {percent:.0}% p50 {p50}", figures::name(backend));
        }
        self.line(&text)
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(io::stdout(), "{text}")
    }

    fn close(&mut self) -> io::Result<()> {
        Ok(())
    }
}
