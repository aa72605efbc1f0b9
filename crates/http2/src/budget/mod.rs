//! What useless work a peer may make: the allowances of [`Limits`], used up by frames that bring nothing and given back by
//! useful ones and by time.

#[cfg(test)]
mod tests;

use crate::{
    config::Limits,
    error::{Code, Violation},
};

/// What the peer may have under way on a stream that we give up and that costs it nothing: the head of its answer, trailers,
/// a reset.
const UNDER_WAY: u64 = 3;
/// How many milliseconds give back one SETTINGS frame or one error of a stream.
const SLOW: u64 = 100;

/// All allowances of one connection. It costs a useful frame one addition.
#[derive(Debug)]
pub struct Budget {
    limits: Limits,
    now: u64,
    /// Frames that may still come for streams that we gave up.
    late: u64,
    early_resets: Allowance,
    resets: Allowance,
    stream_errors: Allowance,
    settings: Allowance,
    idle_frames: Allowance,
    window_updates: Allowance,
}

impl Budget {
    /// A full budget.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            now: 0,
            late: 0,
            early_resets: Allowance::new(limits.early_resets, 1),
            resets: Allowance::new(limits.resets, 1),
            stream_errors: Allowance::new(limits.stream_errors, SLOW),
            settings: Allowance::new(limits.settings, SLOW),
            idle_frames: Allowance::new(limits.idle_frames, 1),
            window_updates: Allowance::new(limits.window_updates, 1),
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
        if early {
            let limit = self.limits.early_resets;
            return self.early_resets.spend(self.now, || format!("more than {limit} streams reset as soon as opened"));
        }
        let limit = self.limits.resets;
        self.resets.spend(self.now, || format!("more than {limit} streams reset"))
    }

    /// A stream has to be reset for what the peer did on it.
    pub fn stream_error(&mut self) -> Result<(), Violation> {
        let limit = self.limits.stream_errors;
        self.stream_errors.spend(self.now, || format!("more than {limit} errors of streams"))
    }

    /// One more CONTINUATION of a header block that has had `before` of them.
    pub fn continuation(&self, before: u32) -> Result<(), Violation> {
        let limit = self.limits.continuations;
        if before < limit {
            return Ok(());
        }
        Err(calm(format!("more than {limit} CONTINUATION frames of one header block")))
    }

    /// A SETTINGS frame came.
    pub fn settings(&mut self) -> Result<(), Violation> {
        let limit = self.limits.settings;
        self.settings.spend(self.now, || format!("more than {limit} SETTINGS frames"))
    }

    /// A frame came that gets nothing done.
    pub fn idle_frame(&mut self) -> Result<(), Violation> {
        let limit = self.limits.idle_frames;
        self.idle_frames.spend(self.now, || format!("more than {limit} PING, PRIORITY, unknown or empty frames"))
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

    /// A WINDOW_UPDATE came.
    pub fn window_update(&mut self) -> Result<(), Violation> {
        let limit = self.limits.window_updates;
        self.window_updates.spend(self.now, || format!("more than {limit} WINDOW_UPDATE frames"))
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
}

impl Allowance {
    fn new(most: u32, pace: u64) -> Self {
        Self { left: u64::from(most), most: u64::from(most), earned: 0, pace, reckoned: 0 }
    }

    fn earn(&mut self, count: u64) {
        self.earned += count;
    }

    fn spend(&mut self, now: u64, text: impl FnOnce() -> String) -> Result<(), Violation> {
        let passed = (now - self.reckoned) / self.pace;
        self.reckoned += passed * self.pace;
        self.left = (self.left + passed + self.earned).min(self.most);
        self.earned = 0;
        self.left = self.left.checked_sub(1).ok_or_else(|| calm(text()))?;
        Ok(())
    }
}

fn calm(text: String) -> Violation {
    Violation::new(Code::ENHANCE_YOUR_CALM, text)
}
