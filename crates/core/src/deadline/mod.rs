//! The `grpc-timeout` header (gRPC's PROTOCOL-HTTP2): a deadline on the wire, and points in time that cannot overflow.

#[cfg(test)]
mod tests;

use std::{
    fmt, str,
    time::{Duration, Instant},
};

use thiserror::Error;

/// The largest value that the header's eight digits hold.
const MAX_VALUE: u64 = 99_999_999;

/// Nanoseconds.
const HOUR: u64 = 3_600_000_000_000;

/// The units, smallest first: letter and nanoseconds.
const UNITS: [(u8, u64); 6] =
    [(b'n', 1), (b'u', 1_000), (b'm', 1_000_000), (b'S', 1_000_000_000), (b'M', 60_000_000_000), (b'H', HOUR)];

/// A timeout as the header writes it (`"250m"`), on the stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timeout {
    text: [u8; 9],
    length: u8,
}

impl Timeout {
    /// The header's value, ASCII.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.text[..usize::from(self.length)]
    }

    /// The header's value.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(self.as_bytes()).expect("only digits and a letter are ever written")
    }

    /// Up to eight digits, then the unit.
    fn write(value: u64, unit: u8) -> Self {
        let mut text = [0; 9];
        let digits = value.checked_ilog10().unwrap_or(0) as usize + 1;
        let mut rest = value;
        for place in text[..digits].iter_mut().rev() {
            *place = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        text[digits] = unit;
        Self { text, length: digits as u8 + 1 }
    }
}

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Writes `timeout` in the finest unit that holds it in eight digits, rounded up so that the deadline is never shortened.
///
/// What lies beyond the header's 11,415 years becomes `99999999H`.
#[must_use]
pub fn encode(timeout: Duration) -> Timeout {
    // Most timeouts fit 64 bits of nanoseconds, which divide much faster.
    let encoded = match u64::try_from(timeout.as_nanos()) {
        Ok(nanos) => UNITS.iter().map(|(letter, unit)| (nanos.div_ceil(*unit), *letter)).find(|(v, _)| *v <= MAX_VALUE),
        Err(_) => {
            let value = timeout.as_nanos().div_ceil(u128::from(HOUR));
            u64::try_from(value).ok().filter(|value| *value <= MAX_VALUE).map(|value| (value, b'H'))
        }
    };
    let (value, letter) = encoded.unwrap_or((MAX_VALUE, b'H'));
    Timeout::write(value, letter)
}

/// What is wrong with a `grpc-timeout` header.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum TimeoutError {
    /// The last character is no unit.
    #[error("grpc-timeout \"{text}\": the unit is not one of H, M, S, m, u and n")]
    Unit {
        /// The header's value, escaped.
        text: String,
    },
    /// What stands before the unit is not one to eight digits.
    #[error("grpc-timeout \"{text}\": the value is not one to eight digits")]
    Value {
        /// The header's value, escaped.
        text: String,
    },
}

/// Reads the value of a `grpc-timeout` header.
///
/// # Errors
///
/// The value is not one to eight digits followed by a unit.
pub fn parse(text: impl AsRef<[u8]>) -> Result<Duration, TimeoutError> {
    let text = text.as_ref();
    // A hostile header can be long: show where it goes wrong, not all of it.
    let shown = || text[..text.len().min(20)].escape_ascii().to_string();
    let unit = text.last().and_then(|letter| UNITS.iter().find(|(l, _)| l == letter));
    let (Some((_, unit)), Some((_, digits))) = (unit, text.split_last()) else {
        return Err(TimeoutError::Unit { text: shown() });
    };
    if !(1..=8).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return Err(TimeoutError::Value { text: shown() });
    }
    let value = digits.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0'));
    Ok(duration(u128::from(value) * u128::from(*unit)))
}

/// The point in time `after` from `now`, or the far future if the clock cannot express it.
#[must_use]
pub fn from_now(now: Instant, after: Duration) -> Instant {
    // Thirty years: far enough to never come, near enough for every platform's clock.
    const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);
    now.checked_add(after).or_else(|| now.checked_add(FAR)).unwrap_or(now)
}

fn duration(nanos: u128) -> Duration {
    const PER_SECOND: u128 = 1_000_000_000;
    Duration::new((nanos / PER_SECOND) as u64, (nanos % PER_SECOND) as u32)
}
