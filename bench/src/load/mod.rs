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

use crate::{cpu, error::Error, sample::Sample};

#[cfg(test)]
mod tests;

/// How long calls may stay open after the window has closed.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest latency that is told apart from longer ones.
const LONGEST: Duration = Duration::from_secs(60);
/// Latencies that a caller keeps to itself before it takes the lock of the histogram.
const BATCH: usize = 256;

/// Something that makes unary calls of the echo service over one connection.
pub(crate) trait Caller: Clone + Send + 'static {
    /// Sends the payload and checks that as many bytes come back.
    fn call(&mut self, payload: &Bytes) -> impl Future<Output = Result<(), Error>> + Send;
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

/// Puts the load on the runtime and measures.
///
/// # Errors
///
/// A call fails or hangs, no call ends within the window, or CPU times can't be read.
pub(crate) fn run<C: Caller>(runtime: &Runtime, caller: &C, payload: &Bytes, load: &Load) -> Result<Sample, Error> {
    let shared = Arc::new(Shared::new());
    let mut callers = JoinSet::new();
    for _ in 0..load.concurrency {
        let call_on = call_until_closed(caller.clone(), payload.clone(), Arc::clone(&shared));
        callers.spawn_on(call_on, runtime.handle());
    }
    let keeper = thread::spawn({
        let (shared, load) = (Arc::clone(&shared), *load);
        move || keep_time(&shared, &load)
    });
    runtime.block_on(all_end(callers, load.warm_up + load.window + PATIENCE))?;
    let (before, after) = keeper.join().map_err(|_| Error::io("the time keeper")(io::ErrorKind::Other.into()))??;
    let latencies = shared.latencies.lock().unwrap_or_else(PoisonError::into_inner);
    sample(&before, &after, &latencies).ok_or(Error::NoCalls(load.window))
}

/// Opens the window and closes it. What both processes had used by then.
fn keep_time(shared: &Shared, load: &Load) -> Result<(Books, Books), Error> {
    thread::sleep(load.warm_up);
    let before = Books::read(load.server)?;
    shared.enter(Phase::Open);
    thread::sleep(load.window);
    shared.enter(Phase::Closed);
    Ok((before, Books::read(load.server)?))
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
}

impl Books {
    fn read(server: Option<u32>) -> Result<Self, Error> {
        Ok(Self {
            client: cpu::used_by(std::process::id())?,
            server: server.map(cpu::used_by).transpose()?,
            at: Instant::now(),
        })
    }
}

/// Divides by the number of calls; none if there were none.
fn sample(before: &Books, after: &Books, latencies: &Histogram<u64>) -> Option<Sample> {
    if latencies.is_empty() {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "a run makes far fewer than 2^52 calls")]
    let (calls, p50, p99) =
        (latencies.len() as f64, latencies.value_at_quantile(0.5) as f64, latencies.value_at_quantile(0.99) as f64);
    let per_call = |before: Duration, after: Duration| after.saturating_sub(before).as_secs_f64() * 1e6 / calls;
    Some(Sample {
        calls_per_second: calls / (after.at - before.at).as_secs_f64(),
        client_cpu_us: per_call(before.client, after.client),
        server_cpu_us: before.server.zip(after.server).map(|(before, after)| per_call(before, after)),
        p50_us: p50 / 1e3,
        p99_us: p99 / 1e3,
    })
}
