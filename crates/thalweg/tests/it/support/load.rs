//! A steady load of calls, and what became of them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use thalweg::Channel;
use tokio::{task::JoinSet, time::interval};
use tonic::Status;

use super::{hello, pass};

/// Calls at a steady rate, each waiting a little at its backend. Ends when it is asked for its result.
pub(crate) struct Load {
    calls: Arc<Mutex<JoinSet<Result<String, Status>>>>,
    source: tokio::task::JoinHandle<()>,
}

/// What became of a load.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Calls that succeeded, by backend.
    pub(crate) served: BTreeMap<String, usize>,
    pub(crate) failed: Vec<Status>,
}

impl Load {
    /// A call each millisecond that takes `millis` at the backend.
    pub(crate) fn start(channel: &Channel, millis: u64) -> Self {
        let calls = Arc::new(Mutex::new(JoinSet::new()));
        let (channel, set) = (channel.clone(), calls.clone());
        let source = tokio::spawn(async move {
            let mut beat = interval(Duration::from_millis(1));
            loop {
                beat.tick().await;
                let channel = channel.clone();
                let call = async move { hello(&channel, &format!("wait {millis}")).await.map(|reply| reply.backend) };
                set.lock().unwrap().spawn(call);
            }
        });
        Self { calls, source }
    }

    /// No more calls; those that have begun are waited for.
    pub(crate) async fn finish(self) -> Tally {
        self.source.abort();
        pass(Duration::from_millis(1)).await;
        let mut calls = std::mem::take(&mut *self.calls.lock().unwrap());
        let mut tally = Tally::default();
        while let Some(call) = calls.join_next().await {
            match call.unwrap() {
                Ok(backend) => *tally.served.entry(backend).or_default() += 1,
                Err(status) => tally.failed.push(status),
            }
        }
        tally
    }
}

impl Tally {
    /// How many calls succeeded.
    pub(crate) fn total(&self) -> usize {
        self.served.values().sum()
    }
}
