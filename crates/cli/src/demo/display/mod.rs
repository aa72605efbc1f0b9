//! What one sees while the demo runs: live bars on a terminal, plain lines elsewhere.

mod bars;
mod lines;

use std::{
    fmt::Debug,
    io::{self, IsTerminal},
    time::Duration,
};

use self::{bars::Bars, lines::Lines};
use super::ledger::Ledger;

/// Shows how a run goes.
pub(super) trait Display: Debug {
    /// How many times a second it wants to be refreshed.
    fn refreshes_per_second(&self) -> u32;

    /// Shows the state of things this long after the start.
    fn refresh(&mut self, elapsed: Duration, ledger: &Ledger) -> io::Result<()>;

    /// Shows a line that stays.
    fn line(&mut self, text: &str) -> io::Result<()>;

    /// Leaves the stage to whoever prints next.
    fn close(&mut self) -> io::Result<()>;
}

/// The display that suits standard output, for a run of this length.
pub(super) fn choose(duration: Duration, backends: usize) -> Box<dyn Display> {
    if io::stdout().is_terminal() { Box::new(Bars::new(duration, backends)) } else { Box::new(Lines) }
}
