//! Tests of the measurements of memory, with callers that need no network and a memory of our own.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use tokio::task::yield_now;

use super::{growth, held, idle};
use crate::{error::Error, load::Caller, sample::Metric};

/// A memory to which each call adds its payload, for good.
#[derive(Clone, Default)]
struct Memory(Arc<AtomicU64>);

impl Memory {
    fn add(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Read when all tasks have had their turn.
    async fn read(&self) -> Result<u64, Error> {
        for _ in 0..10 {
            yield_now().await;
        }
        Ok(self.0.load(Ordering::Relaxed))
    }
}

struct Waiting(Memory);

impl Caller for Waiting {
    async fn call(&mut self, payload: &Bytes) -> Result<(), Error> {
        self.0.add(payload.len() as u64);
        pending().await
    }
}

struct Answered(Memory);

impl Caller for Answered {
    async fn call(&mut self, payload: &Bytes) -> Result<(), Error> {
        self.0.add(payload.len() as u64);
        Ok(())
    }
}

#[tokio::test]
async fn memory_is_divided_among_the_calls_that_wait() {
    let memory = Memory::default();
    let calls = || Waiting(memory.clone());
    let sample = held(calls, &Bytes::from_static(b"seven B"), 100, async || memory.read().await).await.unwrap();
    assert_eq!(sample.get(Metric::CallBytes), Some(7.0));
}

#[tokio::test]
async fn a_call_that_ends_is_no_open_call() {
    let memory = Memory::default();
    let ended = held(|| Answered(memory.clone()), &Bytes::new(), 3, async || memory.read().await).await;
    assert!(matches!(ended, Err(Error::StreamEnded)), "{ended:?}");
}

#[tokio::test]
async fn memory_is_divided_among_the_idle_connections_after_the_first() {
    let memory = Memory::default();
    let connect = async || {
        memory.add(3 << 10);
        Ok(())
    };
    let sample = idle(connect, 10, async || memory.read().await).await.unwrap();
    assert_eq!(sample.get(Metric::ConnectionKib), Some(3.0));
}

#[tokio::test]
async fn growth_is_what_all_calls_but_the_first_twentieth_leave_behind() {
    let memory = Memory::default();
    let kib = Bytes::from(vec![0; 1 << 10]);
    let sample = growth(|| Answered(memory.clone()), &kib, 4, 2000, async || memory.read().await).await.unwrap();
    assert_eq!(sample.get(Metric::GrowthMib), Some(1900.0 / 1024.0));
    assert_eq!(memory.read().await.unwrap(), 2000 << 10);
}
