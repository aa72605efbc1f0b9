//! Flow control windows (RFC 9113 sections 5.2 and 6.9), one for each direction of a stream and of the connection.

#[cfg(test)]
mod tests;

use thiserror::Error;

/// A window before anybody has changed it, in bytes (RFC 9113 section 6.9.2).
pub const INITIAL: u32 = 65_535;

/// No window may become larger, in bytes (RFC 9113 section 6.9.1).
pub const LARGEST: u32 = (1 << 31) - 1;

/// A window would become larger than 2^31-1: FLOW_CONTROL_ERROR.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("the window would exceed 2^31-1")]
pub struct TooLarge;

/// More came than the window allows: FLOW_CONTROL_ERROR.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("{sent} bytes came where {allowed} were allowed")]
pub struct Exceeded {
    /// Bytes that came.
    pub sent: u32,
    /// Bytes that were allowed.
    pub allowed: u32,
}

/// What we may send. A change of the peer's SETTINGS can make it negative.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SendWindow(i64);

impl SendWindow {
    /// A window of `size` bytes.
    #[must_use]
    pub const fn new(size: u32) -> Self {
        Self(size as i64)
    }

    /// The window, in bytes; negative when the peer has taken back what was used already.
    #[must_use]
    pub const fn size(self) -> i64 {
        self.0
    }

    /// Bytes that can be sent now.
    #[must_use]
    pub const fn available(self) -> usize {
        if self.0 > 0 { self.0 as usize } else { 0 }
    }

    /// Uses `bytes` of the window; at most what is [available](Self::available).
    pub const fn take(&mut self, bytes: usize) {
        debug_assert!(bytes <= self.available());
        self.0 -= bytes as i64;
    }

    /// Adds the increment of a WINDOW_UPDATE, in bytes.
    ///
    /// # Errors
    /// The window would become larger than 2^31-1. It is unchanged then.
    pub const fn widen(&mut self, increment: u32) -> Result<(), TooLarge> {
        self.shift(increment as i64)
    }

    /// Follows a change of SETTINGS_INITIAL_WINDOW_SIZE by so many bytes (RFC 9113 section 6.9.2).
    ///
    /// # Errors
    /// The window would become larger than 2^31-1. It is unchanged then.
    pub const fn shift(&mut self, difference: i64) -> Result<(), TooLarge> {
        if self.0 + difference > LARGEST as i64 {
            return Err(TooLarge);
        }
        self.0 += difference;
        Ok(())
    }
}

/// What the peer may send.
///
/// It is kept as a difference of what was allowed and what came, so that a window which we make smaller by SETTINGS can
/// be negative for a while.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReceiveWindow(i64);

impl ReceiveWindow {
    /// A window of `size` bytes.
    #[must_use]
    pub const fn new(size: u32) -> Self {
        Self(size as i64)
    }

    /// The window, in bytes.
    #[must_use]
    pub const fn size(self) -> i64 {
        self.0
    }

    /// Takes note of bytes that came, padding included.
    ///
    /// # Errors
    /// They are more than the window allows. It is unchanged then.
    pub const fn receive(&mut self, bytes: u32) -> Result<(), Exceeded> {
        if bytes as i64 > self.0 {
            let allowed = if self.0 > 0 { self.0 as u32 } else { 0 };
            return Err(Exceeded { sent: bytes, allowed });
        }
        self.0 -= bytes as i64;
        Ok(())
    }

    /// Takes note of bytes that the peer was told it may send, by WINDOW_UPDATE or, when negative as well, by SETTINGS.
    pub const fn credit(&mut self, bytes: i64) {
        self.0 += bytes;
    }
}
