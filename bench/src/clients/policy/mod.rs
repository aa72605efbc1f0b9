//! A load-balancing policy on its own: what a pick costs, and what the policy costs whoever runs it. No connection.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use thalweg_core::{
    endpoint::Endpoint,
    lb::{hierarchy::Path, registry::Policies},
};

mod channel;

mod calls;

use self::{
    calls::{Call, on_threads},
    channel::Channel,
};
use crate::{
    cpu,
    error::Error,
    sample::{Metric, Sample},
};

/// Calls that differ in their metadata; as many as on grpc-go's side.
const CALLS: usize = 1024;
/// How many endpoints an update replaces.
const REPLACED: usize = 10;
/// How many updates there are: the books of CPU time are milliseconds late, now and then.
const UPDATES: usize = 21;

/// The policies that every channel knows, each under one name.
pub(crate) fn names() -> Vec<String> {
    let builtin = Policies::builtin();
    builtin.names().filter(|name| !name.ends_with("_experimental")).map(str::to_owned).collect()
}

/// A configuration for a policy; the same as on grpc-go's side, where that has the policy.
pub(super) fn config(policy: &str) -> Value {
    let below = json!([{ "round_robin": {} }]);
    let named = |child: fn(usize, &Value) -> Value| {
        let children = (0..children(policy)).map(|n| (child_name(n), child(n, &below)));
        Value::Object(children.collect())
    };
    match policy {
        "outlier_detection" => {
            json!({ "successRateEjection": {}, "failurePercentageEjection": {}, "childPolicy": below })
        }
        "priority" => json!({
            "children": named(|_, below| json!({ "config": below })),
            "priorities": (0..children(policy)).map(child_name).collect::<Vec<_>>(),
        }),
        "random_subsetting" => json!({ "subsetSize": 100, "childPolicy": below }),
        "ring_hash" => json!({ "requestHashHeader": calls::HEADER }),
        "weighted_target" => json!({ "targets": named(|n, below| json!({ "weight": n + 1, "childPolicy": below })) }),
        _ => json!({}),
    }
}

/// How many children with a name a policy has.
fn children(policy: &str) -> usize {
    match policy {
        "priority" => 2,
        "weighted_target" => 10,
        _ => 0,
    }
}

fn child_name(n: usize) -> String {
    format!("child-{n}")
}

/// Endpoints with one address each, shared out among the policy's children if these have names; those of different
/// calls overlap but for the first `from`.
fn endpoints(policy: &str, count: usize, from: usize) -> Vec<Endpoint> {
    let children = children(policy);
    let endpoint = |n: usize| {
        let [.., a, b, c] = n.to_be_bytes();
        let endpoint = Endpoint::new([SocketAddr::from(([10, a, b, c], 50051))]);
        match children {
            0 => endpoint,
            _ => endpoint.with(Path::new([child_name(n % children)])),
        }
    };
    (from..from + count).map(endpoint).collect()
}

fn resolved(policy: &str, count: usize) -> Result<Channel, Error> {
    let policies = Policies::builtin();
    let factory = policies.get(policy).ok_or_else(|| Error::NoSuchPolicy(policy.to_owned()))?;
    let config = factory.parse(&config(policy), &policies)?;
    let mut channel = Channel::new(factory.build());
    channel.resolve(endpoints(policy, count, 0).into(), Some(config));
    Ok(channel)
}

/// Picks again and again.
///
/// # Errors
///
/// There is no such policy, or it leaves calls waiting.
pub(super) fn pick(policy: &str, count: usize, threads: usize, window: Duration) -> Result<Sample, Error> {
    let mut channel = resolved(policy, count)?;
    let calls: Vec<Call> = (0..CALLS).map(Call::number).collect();
    if !channel.settle(&calls) {
        return Err(Error::CallsWait(policy.to_owned()));
    }
    let (picker, observers) = (channel.picker(), channel.observers());
    let now = Instant::now();
    let pick_ns = on_threads(threads, window / 2, |n| calls[n % CALLS].pick(&*picker, now, n));
    let call_ns = on_threads(threads, window / 2, |n| calls[n % CALLS].make(&*picker, now, n, &observers));
    Ok(Sample::from_iter([(Metric::PickNs, pick_ns), (Metric::CallNs, call_ns)]))
}

/// The endpoints become READY one after the other, with a new picker each time; of a policy that connects when it is
/// asked to, those that calls ask for.
///
/// # Errors
///
/// There is no such policy, or the kernel keeps no books of CPU time.
pub(super) fn ready(policy: &str, count: usize) -> Result<Sample, Error> {
    let mut channel = resolved(policy, count)?;
    let calls: Vec<Call> = (0..2 * count).map(Call::number).collect();
    let before = used()?;
    if !channel.settle(&calls) {
        return Err(Error::CallsWait(policy.to_owned()));
    }
    Ok(Sample::from_iter([(Metric::ReadyMs, millis(used()?.saturating_sub(before)))]))
}

/// The resolver replaces a few of the endpoints, several times.
///
/// # Errors
///
/// There is no such policy, or the kernel keeps no books of CPU time.
pub(super) fn update(policy: &str, count: usize) -> Result<Sample, Error> {
    let mut channel = resolved(policy, count)?;
    channel.tell();
    let mut took = Duration::ZERO;
    for round in 1..=UPDATES {
        let next = endpoints(policy, count, round * REPLACED).into();
        let before = used()?;
        channel.resolve(next, None);
        took += used()?.saturating_sub(before);
        channel.tell();
    }
    Ok(Sample::from_iter([(Metric::UpdateMs, millis(took) / UPDATES as f64)]))
}

/// CPU time so far.
fn used() -> Result<Duration, Error> {
    cpu::used_by(std::process::id())
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests;
