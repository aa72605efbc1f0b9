//! Exponential backoff with jitter (gRPC's connection-backoff document).

#[cfg(test)]
mod tests;

use std::time::Duration;

use thiserror::Error;

use crate::random::Random;

/// How long to wait between attempts to connect, and how long one may take.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct BackoffConfig {
    /// The first wait, counted from the start of the failed attempt. Above zero.
    pub initial: Duration,
    /// By how much the wait grows after each failure. At least 1.
    pub multiplier: f64,
    /// The share of the wait by which chance lengthens or shortens it, so that clients disperse. From 0 to 1.
    pub jitter: f64,
    /// The longest wait, before jitter. At least `initial`.
    pub max: Duration,
    /// The least time that an attempt is given. Above zero.
    pub min_connect_timeout: Duration,
}

impl Default for BackoffConfig {
    fn default() -> Self {
        Self {
            initial: Duration::from_secs(1),
            multiplier: 1.6,
            jitter: 0.2,
            max: Duration::from_secs(120),
            min_connect_timeout: Duration::from_secs(20),
        }
    }
}

impl BackoffConfig {
    /// Is every value in its range?
    ///
    /// # Errors
    ///
    /// The first value that is not.
    pub fn validate(&self) -> Result<(), BackoffError> {
        if self.initial.is_zero() {
            return Err(BackoffError::Initial);
        }
        if !(self.multiplier.is_finite() && self.multiplier >= 1.0) {
            return Err(BackoffError::Multiplier { multiplier: self.multiplier });
        }
        if !(0.0..=1.0).contains(&self.jitter) {
            return Err(BackoffError::Jitter { jitter: self.jitter });
        }
        if self.max < self.initial {
            return Err(BackoffError::Max { initial: self.initial, max: self.max });
        }
        if self.min_connect_timeout.is_zero() {
            return Err(BackoffError::MinConnectTimeout);
        }
        Ok(())
    }
}

/// Which value of a [`BackoffConfig`] is out of range.
#[derive(Clone, Copy, PartialEq, Debug, Error)]
pub enum BackoffError {
    /// `initial` is zero.
    #[error("backoff: initial must be above zero")]
    Initial,
    /// `multiplier` is below 1 or not finite.
    #[error("backoff: multiplier must be at least 1, and is {multiplier}")]
    Multiplier {
        /// The value.
        multiplier: f64,
    },
    /// `jitter` is not between 0 and 1.
    #[error("backoff: jitter must be from 0 to 1, and is {jitter}")]
    Jitter {
        /// The value.
        jitter: f64,
    },
    /// `max` is below `initial`.
    #[error("backoff: max must be at least initial ({initial:?}), and is {max:?}")]
    Max {
        /// The first wait.
        initial: Duration,
        /// The value.
        max: Duration,
    },
    /// `min_connect_timeout` is zero.
    #[error("backoff: min_connect_timeout must be above zero")]
    MinConnectTimeout,
}

/// One sequence of waits.
#[derive(Clone, Debug)]
pub struct Backoff {
    config: BackoffConfig,
    /// The next wait, before jitter.
    wait: Duration,
}

impl Backoff {
    /// The sequence that `config` describes, at its beginning.
    #[must_use]
    pub fn new(config: BackoffConfig) -> Self {
        Self { config, wait: config.initial }
    }

    /// What the sequence was made from.
    #[must_use]
    pub fn config(&self) -> &BackoffConfig {
        &self.config
    }

    /// The next wait, jitter included. The first is jittered as well, so that clients that lost the same server at
    /// once don't come back at once.
    pub fn next(&mut self, random: &mut Random) -> Duration {
        let wait = self.wait;
        self.wait = scale(wait, self.config.multiplier).min(self.config.max);
        scale(wait, 1.0 + self.config.jitter * (2.0 * random.unit() - 1.0))
    }

    /// Back to the beginning of the sequence.
    pub fn reset(&mut self) {
        self.wait = self.config.initial;
    }
}

/// `wait` times `factor`, or the longest duration if there is no such duration.
fn scale(wait: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(wait.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}
