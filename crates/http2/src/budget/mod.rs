//! What useless work a peer may make: the allowances of [`Limits`], used up by frames that bring nothing and given back by
//! useful ones and by time.

#[cfg(test)]
mod tests;

use crate::{
    config::Limits,
    error::{Rule, Violation},
};

/// What the peer may have under way on a stream that we give up and that costs it nothing: the head of its answer, trailers,
/// a reset.
const UNDER_WAY: u64 = 3;
/// How many milliseconds give back one SETTINGS frame or one error of a stream.
const SLOW: u64 = 100;

/// All allowances of one connection. It costs a useful frame one addition.
#[derive(Debug)]
pub struct Budget {
    now: u64,
    /// Frames that may still come for streams that we gave up.
    late: u64,
    continuations: u32,
    early_resets: Allowance,
    resets: Allowance,
    stream_errors: Allowance,
    settings: Allowance,
    idle_frames: Allowance,
    tiny_data: Allowance,
    window_updates: Allowance,
}

impl Budget {
    /// A full budget.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let fast = |rule, most, what| Allowance::new(rule, most, 1, what);
        let slow = |rule, most, what| Allowance::new(rule, most, SLOW, what);
        Self {
            now: 0,
            late: 0,
            continuations: limits.continuations,
            early_resets: fast(Rule::EarlyResets, limits.early_resets, "streams reset as soon as opened"),
            resets: fast(Rule::Resets, limits.resets, "streams reset"),
            stream_errors: slow(Rule::StreamErrors, limits.stream_errors, "errors of streams"),
            settings: slow(Rule::Settings, limits.settings, "SETTINGS frames"),
            idle_frames: fast(Rule::IdleFrames, limits.idle_frames, "PING, PRIORITY, unknown or empty frames"),
            tiny_data: fast(Rule::TinyData, limits.tiny_data, "DATA frames of a few bytes that end no message"),
            window_updates: fast(Rule::WindowUpdates, limits.window_updates, "WINDOW_UPDATE frames"),
        }
    }

    /// Tells the time, in milliseconds since the connection began.
    pub fn tick(&mut self, now: u64) {
        self.now = self.now.max(now);
    }

    /// A head or data came that somebody wants.
    pub fn useful_frame(&mut self) {
        self.idle_frames.earn(1);
    }

    /// So many messages came to their ends, or the peer was told so often that it may go on sending.
    pub fn got_on(&mut self, times: u64) {
        self.tiny_data.earn(times);
    }

    /// A stream ended as it should.
    pub fn stream_ended_well(&mut self) {
        self.early_resets.earn(1);
        self.resets.earn(1);
    }

    /// We gave a stream up: what the peer has said on it by then comes too late.
    pub fn gave_up(&mut self) {
        self.late += UNDER_WAY;
    }

    /// We sent this many DATA frames, each of them a reason for WINDOW_UPDATEs.
    pub fn data_frames_sent(&mut self, frames: u32) {
        self.window_updates.earn(u64::from(frames) * 4);
    }

    /// The peer reset a stream; `early`: before anything was begun for it.
    pub fn reset(&mut self, early: bool) -> Result<(), Violation> {
        let resets = if early { &mut self.early_resets } else { &mut self.resets };
        resets.spend(self.now)
    }

    /// A stream has to be reset for what the peer did on it.
    pub fn stream_error(&mut self) -> Result<(), Violation> {
        self.stream_errors.spend(self.now)
    }

    /// One more CONTINUATION of a header block that has had `before` of them.
    pub fn continuation(&self, before: u32) -> Result<(), Violation> {
        if before < self.continuations {
            return Ok(());
        }
        Err(excess(Rule::Continuations, self.continuations.into(), "CONTINUATION frames of one header block"))
    }

    /// A SETTINGS frame came.
    pub fn settings(&mut self) -> Result<(), Violation> {
        self.settings.spend(self.now)
    }

    /// A frame came that gets nothing done.
    pub fn idle_frame(&mut self) -> Result<(), Violation> {
        self.idle_frames.spend(self.now)
    }

    /// A frame came for a stream that is over. That gets nothing done either, unless it is one that we gave up: then the
    /// peer could not know.
    pub fn late_frame(&mut self) -> Result<(), Violation> {
        match self.late.checked_sub(1) {
            Some(left) => {
                self.late = left;
                Ok(())
            }
            None => self.idle_frame(),
        }
    }

    /// A DATA frame of a few bytes came that ended nothing.
    pub fn tiny_data(&mut self) -> Result<(), Violation> {
        self.tiny_data.spend(self.now)
    }

    /// A WINDOW_UPDATE came.
    pub fn window_update(&mut self) -> Result<(), Violation> {
        self.window_updates.spend(self.now)
    }
}

/// How often something may happen. What is earned is reckoned only when something is spent.
#[derive(Debug)]
struct Allowance {
    left: u64,
    most: u64,
    earned: u64,
    /// How many milliseconds give one back.
    pace: u64,
    reckoned: u64,
    rule: Rule,
    /// What there are too many of, if there are.
    what: &'static str,
}

impl Allowance {
    fn new(rule: Rule, most: u32, pace: u64, what: &'static str) -> Self {
        Self { left: u64::from(most), most: u64::from(most), earned: 0, pace, reckoned: 0, rule, what }
    }

    fn earn(&mut self, count: u64) {
        self.earned += count;
    }

    fn spend(&mut self, now: u64) -> Result<(), Violation> {
        let passed = (now - self.reckoned) / self.pace;
        self.reckoned += passed * self.pace;
        self.left = (self.left + passed + self.earned).min(self.most);
        self.earned = 0;
        self.left = self.left.checked_sub(1).ok_or_else(|| excess(self.rule, self.most, self.what))?;
        Ok(())
    }
}

#[cold]
fn excess(rule: Rule, limit: u64, what: &str) -> Violation {
    Violation::excess(rule, format!("more than {limit} {what}"))
}
