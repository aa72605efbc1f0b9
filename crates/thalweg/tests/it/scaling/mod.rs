//! Several connections to one address (A105), and the queue before them.

mod growing;
mod keeping;
mod losing;
mod queue;
mod shrinking;

use std::time::Duration;

use thalweg_testkit::peer::Peer;

use crate::support::{
    call, named,
    script::{Outcome, Script, answer, name_in},
    settle,
};

/// SETTINGS_MAX_CONCURRENT_STREAMS.
const MAX_STREAMS: u16 = 3;

/// Lets a subchannel have so many connections.
fn most(connections: u32) -> String {
    format!(r#"{{"connectionScaling": {{"maxConnectionsPerSubchannel": {connections}}}}}"#)
}

/// A channel whose subchannel may have so many connections.
fn scaled(connections: u32) -> Script {
    Script::with(|builder| builder.default_service_config(most(connections)))
}

/// Unary calls that begin one after the other.
async fn calls(script: &Script, names: &[&str]) -> Vec<Outcome> {
    let mut calls = vec![];
    for name in names {
        calls.push(call(&script.channel, named(name)));
        settle().await;
    }
    calls
}

/// Reads a whole unary request by this name. Its stream.
async fn read(peer: &mut Peer, name: &str) -> u32 {
    let stream = peer.expect_headers().await.stream;
    assert_eq!(name_in(peer.expect_message(stream).await), name);
    peer.expect_end(stream).await;
    stream
}

/// Answers the next call, which is by this name.
async fn serve(peer: &mut Peer, name: &str) {
    let stream = read(peer, name).await;
    answer(peer, stream, "hello").await;
}

async fn expect_success(calls: impl IntoIterator<Item = Outcome>) {
    for call in calls {
        let outcome = tokio::time::timeout(60 * SECOND, call).await.expect("a call that was served ends");
        assert_eq!(outcome.unwrap().unwrap().message, "hello");
    }
}

/// How many calls have waited, and how many do.
fn waits(script: &Script) -> (u64, usize) {
    let stats = script.channel.subchannel_stats();
    (stats[0].calls_queued, stats[0].calls_waiting)
}

fn connections(script: &Script) -> usize {
    script.channel.connection_stats().len()
}

const SECOND: Duration = Duration::from_secs(1);
