//! The CPU time of a process, from the scheduler's own books (`/proc/PID/task/*/schedstat`).
//!
//! The scheduler counts nanoseconds, user and kernel time together. The time of a thread that is running right now is
//! brought up to date at the next tick (1 to 10 ms), which is what a window of half a second makes negligible.

use std::{fs, io, time::Duration};

use crate::error::Error;

#[cfg(test)]
mod tests;

/// The CPU time that the living threads of a process have used so far.
///
/// # Errors
///
/// The process is gone, or the kernel keeps no such books.
pub(crate) fn used_by(pid: u32) -> Result<Duration, Error> {
    let folder = format!("/proc/{pid}/task");
    let mut nanos = 0;
    for task in fs::read_dir(&folder).map_err(Error::io(&folder))? {
        let file = task.map_err(Error::io(&folder))?.path().join("schedstat");
        match fs::read_to_string(&file) {
            Ok(line) => nanos += on_cpu(&line).map_err(Error::io(file.to_string_lossy()))?,
            // A thread may end between the listing and the look.
            Err(gone) if gone.kind() == io::ErrorKind::NotFound => {}
            Err(other) => return Err(Error::io(file.to_string_lossy())(other)),
        }
    }
    Ok(Duration::from_nanos(nanos))
}

/// The nanoseconds on a CPU: the first of the three numbers of a `schedstat` line.
fn on_cpu(line: &str) -> io::Result<u64> {
    line.split_whitespace()
        .next()
        .and_then(|field| field.parse().ok())
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not a schedstat line"))
}
