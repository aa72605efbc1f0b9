//! One run: a policy, its backends, the load, the faults, and what was seen.

use std::{array, error::Error, net::SocketAddr, time::Duration};

use thalweg::{
    Channel,
    core::{
        backoff::BackoffConfig,
        endpoint::{Address, Endpoint},
    },
    registry::Registry,
    resolver::{ResolverUpdate, manual::ManualResolver},
};
use thalweg_proto::bench::{Payload, echo_client::EchoClient};
use tokio::{
    sync::mpsc,
    time::{Instant, interval, sleep_until, timeout},
};

use crate::{
    backend::{Backend, resident},
    judge::{Outcome, Period, Record},
    load,
    policies::{LONGEST_PAUSE, Policy},
    schedule::{self, BACKENDS, Event},
};

/// How long a fleet may take until all of it serves.
const STARTED: Duration = Duration::from_secs(10);

/// Runs a policy for so long, with the faults that the seed brings, or until it is `interrupted`. What was seen.
pub(crate) async fn run(
    policy: Policy,
    seed: u64,
    within: Duration,
    interrupted: impl Future<Output = ()>,
) -> Result<Record, Box<dyn Error>> {
    let (begun, mut handlers) = mpsc::unbounded_channel();
    let mut backends = vec![];
    for number in 0..BACKENDS {
        backends.push(Backend::start(number, begun.clone()).await?);
    }
    let addresses: Vec<_> = backends.iter().map(Backend::address).collect();
    let channel = connect(policy, &addresses)?;
    timeout(STARTED, all_serve(&channel)).await.map_err(|_| "not all backends were called in time")?;
    while handlers.try_recv().is_ok() {}

    let (begin, end) = (Instant::now(), Instant::now() + within);
    let (outcomes, mut calls) = mpsc::unbounded_channel();
    let load = tokio::spawn(load::run(channel, addresses, begin, end, outcomes));
    let mut stage = Stage { backends, record: Record::default(), begin };
    let mut events = schedule::events(seed, within).into_iter().peekable();
    let mut seconds = interval(Duration::from_secs(1));
    let mut after_a_third = None;
    tokio::pin!(interrupted);
    loop {
        let next = events.peek().map_or(end, |event| begin + event.at).min(end);
        tokio::select! {
            Some(call) = calls.recv() => stage.record.calls.push(call),
            Some((at, backend)) = handlers.recv() => stage.record.begun.push((at.duration_since(begin), backend)),
            _ = seconds.tick() => stage.print(policy),
            () = sleep_until(next), if next < end => {
                if let Some(event) = events.next() {
                    stage.play(event).await?;
                }
            }
            () = sleep_until(end) => break,
            () = &mut interrupted => break,
        }
        if after_a_third.is_none() && begin.elapsed() > within / 3 {
            after_a_third = Some(stage.resident());
        }
    }
    stage.record.end = begin.elapsed();
    stage.record.resident = after_a_third.flatten().zip(stage.resident());
    if begin.elapsed() < within {
        load.abort();
    }
    // If it panicked, that is counted.
    let _ = load.await;
    while let Ok(Some(call)) = timeout(load::DEADLINE, calls.recv()).await {
        stage.record.calls.push(call);
    }
    while let Ok((at, backend)) = handlers.try_recv() {
        stage.record.begun.push((at.duration_since(begin), backend));
    }
    Ok(stage.record)
}

/// A channel to all backends.
fn connect(policy: Policy, addresses: &[SocketAddr]) -> Result<Channel, Box<dyn Error>> {
    let endpoints = addresses.iter().map(|address| Endpoint::new([Address::Tcp(*address)])).collect();
    let resolver = ManualResolver::new("chaos");
    resolver.set(ResolverUpdate { endpoints, ..ResolverUpdate::default() });
    let backoff = BackoffConfig { initial: Duration::from_millis(100), max: LONGEST_PAUSE, ..BackoffConfig::default() };
    let registry = Registry::default().with_resolver(resolver);
    let builder = Channel::builder("chaos:backends").registry(registry).backoff(backoff);
    Ok(builder.default_service_config(policy.service_config()).build()?)
}

/// Calls until every backend has answered.
async fn all_serve(channel: &Channel) {
    let mut client = EchoClient::new(channel.clone());
    let mut missing = [true; BACKENDS];
    while missing.contains(&true) {
        let mut request = tonic::Request::new(Payload::default());
        request.metadata_mut().insert("x-key", fastrand::u32(..).into());
        if let Ok(reply) = client.unary(request).await {
            reply.get_ref().body.iter().for_each(|number| missing[usize::from(*number)] = false);
        }
    }
}

/// Backends, and what has been seen of them so far.
struct Stage {
    backends: Vec<Backend>,
    record: Record,
    begin: Instant,
}

impl Stage {
    /// The memory that is in use, but for the record.
    fn resident(&self) -> Option<u64> {
        Some(resident()?.saturating_sub(self.record.size()))
    }

    /// Has an event happen, and notes when: a fault begins before it is felt, and ends after.
    async fn play(&mut self, event: Event) -> Result<(), Box<dyn Error>> {
        let backend = &mut self.backends[event.backend];
        let periods = &mut self.record.periods[event.backend];
        match event.fault {
            Some(fault) => {
                periods.push(Period { from: self.begin.elapsed(), to: None, fault });
                backend.suffer(fault).await;
            }
            None => {
                backend.recover().await?;
                if let Some(last) = periods.last_mut() {
                    last.to = Some(self.begin.elapsed());
                }
            }
        }
        Ok(())
    }

    /// One line of how it goes.
    fn print(&self, policy: Policy) {
        let letters: [char; BACKENDS] = array::from_fn(|backend| {
            let present = self.record.periods[backend].last().filter(|period| period.to.is_none());
            present.map_or('·', |period| period.fault.letter())
        });
        let failed = self.record.calls.iter().filter(|call| call.outcome != Outcome::Served).count();
        let (second, calls) = (self.begin.elapsed().as_secs(), self.record.calls.len());
        let letters = letters.iter().collect::<String>();
        println!("{:<18} {second:>4} s  {letters}  {calls:>7} calls, {failed} failed", policy.name);
    }
}
