//! A closed loop of callers, and what it measured.
//!
//! Each caller starts its next call when the last one has ended. The window opens after a warm-up; a call counts if it
//! ends within the window. The thread that keeps the time is none of the runtime's.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use hdrhistogram::Histogram;
use tokio::{runtime::Runtime, task::JoinSet, time::timeout};

use crate::{
    cpu,
    error::Error,
    sample::{Metric, Sample},
};

#[cfg(test)]
mod tests;

/// How long calls may stay open after the window has closed.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest latency that is told apart from longer ones.
const LONGEST: Duration = Duration::from_secs(60);
/// Latencies that a caller keeps to itself before it takes the lock of the histogram.
const BATCH: usize = 256;

/// Something that makes calls of the echo service over a connection that it shares with others of its kind.
pub(crate) trait Caller: Send + 'static {
    /// What one call counts as.
    const UNIT: Unit = Unit::Call;

    /// Sends the payload and checks that as many bytes come back, or what else a call is.
    fn call(&mut self, payload: &Bytes) -> impl Future<Output = Result<(), Error>> + Send;

    /// How often the connection has written to its socket so far; none if that can't be known.
    fn writes(&self) -> Option<u64> {
        None
    }
}

/// What one call of a [`Caller`] counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A call of a method.
    Call,
    /// As many messages received on a stream that stays open.
    Messages(u32),
}

/// How much load, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// Calls that are open at any time.
    pub(crate) concurrency: usize,
    /// Load before the window opens.
    pub(crate) warm_up: Duration,
    /// How long the window is open.
    pub(crate) window: Duration,
    /// The process whose CPU time counts as the server's.
    pub(crate) server: Option<u32>,
}

/// Puts the load of callers that `another` makes on the runtime, and measures.
///
/// # Errors
///
/// A call fails or hangs, no call ends within the window, or CPU times can't be read.
pub(crate) fn run<C: Caller>(
    runtime: &Runtime,
    another: impl Fn() -> C,
    payload: &Bytes,
    load: &Load,
) -> Result<Sample, Error> {
    let shared = Arc::new(Shared::new());
    let mut callers = JoinSet::new();
    for _ in 0..load.concurrency {
        let call_on = call_until_closed(another(), payload.clone(), Arc::clone(&shared));
        callers.spawn_on(call_on, runtime.handle());
    }
    let keeper = thread::spawn({
        let (shared, load, idle) = (Arc::clone(&shared), *load, another());
        move || keep_time(&shared, &load, &idle)
    });
    runtime.block_on(all_end(callers, load.warm_up + load.window + PATIENCE))?;
    let (before, after) = keeper.join().map_err(|_| Error::io("the time keeper")(io::ErrorKind::Other.into()))??;
    let latencies = shared.latencies.lock().unwrap_or_else(PoisonError::into_inner);
    sample(C::UNIT, &before, &after, &latencies).ok_or(Error::NoCalls(load.window))
}

/// Opens the window and closes it. What both processes had used by then; the connection is seen through a caller that
/// makes no calls.
fn keep_time(shared: &Shared, load: &Load, idle: &impl Caller) -> Result<(Books, Books), Error> {
    thread::sleep(load.warm_up);
    let before = Books::read(load.server, idle)?;
    shared.enter(Phase::Open);
    thread::sleep(load.window);
    shared.enter(Phase::Closed);
    Ok((before, Books::read(load.server, idle)?))
}

/// Waits until the callers have noticed that the window is closed, or one has failed.
async fn all_end(mut callers: JoinSet<Result<(), Error>>, within: Duration) -> Result<(), Error> {
    let all_ended = timeout(within, async {
        while let Some(ended) = callers.join_next().await {
            ended.map_err(|died| Error::io("a caller")(died.into()))??;
        }
        Ok(())
    });
    all_ended.await.unwrap_or(Err(Error::Stalled(PATIENCE)))
}

async fn call_until_closed<C: Caller>(mut caller: C, payload: Bytes, shared: Arc<Shared>) -> Result<(), Error> {
    let mut batch = Vec::with_capacity(BATCH);
    let mut begun = Instant::now();
    loop {
        caller.call(&payload).await?;
        let ended = Instant::now();
        match shared.phase() {
            Phase::WarmUp => {}
            Phase::Open => batch.push(ended - begun),
            Phase::Closed => break,
        }
        if batch.len() == BATCH {
            shared.record(&mut batch);
        }
        begun = ended;
    }
    shared.record(&mut batch);
    Ok(())
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Phase {
    WarmUp,
    Open,
    Closed,
}

/// What all callers of a run share.
#[derive(Debug)]
struct Shared {
    phase: AtomicU8,
    /// In nanoseconds.
    latencies: Mutex<Histogram<u64>>,
}

impl Shared {
    fn new() -> Self {
        let longest = u64::try_from(LONGEST.as_nanos()).unwrap_or(u64::MAX);
        let latencies = Histogram::new_with_max(longest, 3).expect("three digits of a minute fit a histogram");
        Self { phase: AtomicU8::new(Phase::WarmUp as u8), latencies: Mutex::new(latencies) }
    }

    fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) {
            0 => Phase::WarmUp,
            1 => Phase::Open,
            _ => Phase::Closed,
        }
    }

    fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    fn record(&self, batch: &mut Vec<Duration>) {
        let mut latencies = self.latencies.lock().unwrap_or_else(PoisonError::into_inner);
        for latency in batch.drain(..) {
            latencies.saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
        }
    }
}

/// The time, and what both processes have used by then.
#[derive(Clone, Copy, Debug)]
struct Books {
    at: Instant,
    client: Duration,
    server: Option<Duration>,
    writes: Option<u64>,
}

impl Books {
    fn read(server: Option<u32>, caller: &impl Caller) -> Result<Self, Error> {
        Ok(Self {
            client: cpu::used_by(std::process::id())?,
            server: server.map(cpu::used_by).transpose()?,
            writes: caller.writes(),
            at: Instant::now(),
        })
    }
}

/// Divides by the number of calls or messages; none if there were none.
#[expect(clippy::cast_precision_loss, reason = "a run makes far fewer than 2^52 calls, and so writes")]
fn sample(unit: Unit, before: &Books, after: &Books, latencies: &Histogram<u64>) -> Option<Sample> {
    if latencies.is_empty() {
        return None;
    }
    let calls = latencies.len() as f64;
    let seconds = (after.at - before.at).as_secs_f64();
    let client = after.client.saturating_sub(before.client).as_secs_f64();
    let figures = match unit {
        Unit::Messages(each) => {
            let messages = calls * f64::from(each);
            vec![(Metric::MessagesPerCpuSecond, messages / client), (Metric::MessagesPerSecond, messages / seconds)]
        }
        Unit::Call => {
            let quantile = |quantile| latencies.value_at_quantile(quantile) as f64 / 1e3;
            let server = before.server.zip(after.server).map(|(before, after)| after.saturating_sub(before));
            let writes = before.writes.zip(after.writes).map(|(before, after)| after.saturating_sub(before) as f64);
            let known = [
                (Metric::ClientCpuUs, client * 1e6 / calls),
                (Metric::CallsPerSecond, calls / seconds),
                (Metric::P50Us, quantile(0.5)),
                (Metric::P99Us, quantile(0.99)),
            ];
            let server = server.map(|server| (Metric::ServerCpuUs, server.as_secs_f64() * 1e6 / calls));
            let writes = writes.filter(|writes| *writes > 0.0).map(|writes| (Metric::CallsPerWrite, calls / writes));
            known.into_iter().chain(server).chain(writes).collect()
        }
    };
    Some(figures.into_iter().collect())
}
