//! What open calls, idle connections and many calls cost in resident memory.
//!
//! Memory is read when the process has come to rest, so that all of it has been sent, answered or freed that will be.

use std::{process, time::Duration};

use bytes::Bytes;
use tokio::{task::JoinSet, time::sleep};

use crate::{
    cpu,
    error::Error,
    load::Caller,
    resident,
    sample::{Metric, Sample},
};

#[cfg(test)]
mod tests;

/// How long a look at the process's CPU time takes, and how much of that it may use when it rests.
const LOOK: Duration = Duration::from_millis(50);
const AT_REST: Duration = Duration::from_millis(2);
/// How many looks it may take until it rests.
const LOOKS: u32 = 200;
/// Calls that open before the memory is read for the first time: what only the first ones need is not theirs alone.
const FIRST_CALLS: usize = 16;
/// The part of the calls of [`growth`] that warms up.
const WARM_UP_PART: u64 = 20;

/// Opens calls, each in a task of its own, at a server that answers none. The memory of each.
///
/// # Errors
///
/// A call ends, or the memory can't be read.
pub(crate) async fn held<C: Caller>(
    another: impl Fn() -> C,
    payload: &Bytes,
    calls: usize,
    memory: impl AsyncFn() -> Result<u64, Error>,
) -> Result<Sample, Error> {
    let mut open = JoinSet::new();
    let mut hold = |calls| {
        for _ in 0..calls {
            let (mut caller, payload) = (another(), payload.clone());
            open.spawn(async move { caller.call(&payload).await });
        }
    };
    hold(FIRST_CALLS);
    let before = memory().await?;
    hold(calls);
    let after = memory().await?;
    if let Some(ended) = open.try_join_next() {
        ended.map_err(|died| Error::io("a caller")(died.into()))??;
        return Err(Error::StreamEnded);
    }
    Ok(Sample::from_iter([(Metric::CallBytes, each(before, after, calls))]))
}

/// Connects again and again. The memory of each connection.
///
/// # Errors
///
/// A connection fails, or the memory can't be read.
pub(crate) async fn idle<C>(
    connect: impl AsyncFn() -> Result<C, Error>,
    connections: usize,
    memory: impl AsyncFn() -> Result<u64, Error>,
) -> Result<Sample, Error> {
    let _first = connect().await?;
    let mut open = Vec::with_capacity(connections);
    let before = memory().await?;
    for _ in 0..connections {
        open.push(connect().await?);
    }
    let after = memory().await?;
    Ok(Sample::from_iter([(Metric::ConnectionKib, each(before, after, connections) / 1024.0)]))
}

/// Makes calls, as many at a time as is said. What is resident after them that was not after the first few.
///
/// # Errors
///
/// A call fails, or the memory can't be read.
pub(crate) async fn growth<C: Caller>(
    another: impl Fn() -> C,
    payload: &Bytes,
    concurrency: usize,
    calls: u64,
    memory: impl AsyncFn() -> Result<u64, Error>,
) -> Result<Sample, Error> {
    let warm_up = calls / WARM_UP_PART;
    call_many(&another, payload, concurrency, warm_up).await?;
    let before = memory().await?;
    call_many(&another, payload, concurrency, calls - warm_up).await?;
    let after = memory().await?;
    Ok(Sample::from_iter([(Metric::GrowthMib, each(before, after, 1 << 20))]))
}

/// Shares the calls among callers and waits until all have ended.
async fn call_many<C: Caller>(
    another: impl Fn() -> C,
    payload: &Bytes,
    concurrency: usize,
    calls: u64,
) -> Result<(), Error> {
    let share = calls.div_ceil(concurrency.max(1) as u64);
    let mut callers = JoinSet::new();
    for _ in 0..concurrency {
        let (mut caller, payload) = (another(), payload.clone());
        callers.spawn(async move {
            for _ in 0..share {
                caller.call(&payload).await?;
            }
            Ok::<_, Error>(())
        });
    }
    while let Some(ended) = callers.join_next().await {
        ended.map_err(|died| Error::io("a caller")(died.into()))??;
    }
    Ok(())
}

/// The resident bytes once hardly any CPU time is used.
///
/// # Errors
///
/// The process does not come to rest or its memory can't be read.
pub(crate) async fn resident_at_rest() -> Result<u64, Error> {
    let mut used = cpu::used_by(process::id())?;
    for _ in 0..LOOKS {
        sleep(LOOK).await;
        let before = std::mem::replace(&mut used, cpu::used_by(process::id())?);
        if used.saturating_sub(before) <= AT_REST {
            return resident::bytes();
        }
    }
    Err(Error::Restless(LOOK * LOOKS))
}

/// The growth divided by a number.
#[expect(clippy::cast_precision_loss, reason = "no process has 2^52 bytes")]
fn each(before: u64, after: u64, among: usize) -> f64 {
    (after as f64 - before as f64) / among as f64
}
