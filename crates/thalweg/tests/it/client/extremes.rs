//! Values at the ends of their ranges, and parts of an application that break.

use std::time::Duration;

use thalweg::{
    BoxFuture, Channel,
    core::{
        backoff::BackoffConfig,
        target::{Target, TargetError},
    },
    registry::Registry,
    resolver::{ResolveError, Resolver, ResolverContext, ResolverFactory, ResolverUpdate},
    transport::{keepalive::Keepalive, options::Http2Options},
};
use tonic::Code;

use crate::support::{
    fleet::{Fleet, ONE},
    hello, named, pass,
    script::{Script, answer},
    settle,
};

const NEVER: Duration = Duration::MAX;

#[tokio::test(start_paused = true)]
async fn the_longest_of_times_means_never() {
    let fleet = Fleet::new();
    let _one = fleet.start(ONE).await;
    let keepalive = Keepalive { time: Some(NEVER), timeout: NEVER, while_idle: true };
    let builder = fleet.builder(&format!("ipv4:{ONE}")).keepalive(keepalive).idle_timeout(Some(NEVER));
    let channel = builder.build().unwrap();
    hello(&channel, "ann").await.unwrap();
    pass(Duration::from_secs(1_000_000)).await;
    let mut request = named("bob");
    request.set_timeout(Duration::from_secs(99_999_999));
    crate::support::send(&channel, request).await.unwrap();
}

#[test]
fn an_idle_timeout_of_nothing_is_refused() {
    let error = Channel::builder("greeter:1").idle_timeout(Some(Duration::ZERO)).build().unwrap_err();
    assert_eq!(error.to_string(), "the idle timeout must be above zero; None is for never");
}

#[derive(Debug)]
struct Fragile;

impl ResolverFactory for Fragile {
    fn scheme(&self) -> &str {
        "fragile"
    }

    fn build(&self, _: &Target, _: ResolverContext) -> Result<Box<dyn Resolver>, TargetError> {
        Ok(Box::new(Self))
    }
}

impl Resolver for Fragile {
    fn next(&mut self) -> BoxFuture<'_, Result<ResolverUpdate, ResolveError>> {
        panic!("a resolver that breaks")
    }
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_panics_fails_calls_instead_of_keeping_them() {
    let registry = Registry::default().with_resolver(Fragile);
    let channel = Channel::builder("fragile:///x").registry(registry).build().unwrap();
    let status = hello(&channel, "ann").await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(status.message(), "no backend of fragile:///x can be used: the resolver panicked");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_for_calm_is_pinged_half_as_often() {
    const ENHANCE_YOUR_CALM: u32 = 11;
    let keepalive = Keepalive { time: Some(Duration::from_secs(10)), while_idle: true, ..Keepalive::default() };
    let mut script = Script::with(|builder| builder.keepalive(keepalive));
    script.channel.connect();
    let mut peer = script.accept().await;
    settle().await;
    peer.go_away(0, ENHANCE_YOUR_CALM, "too_many_pings").await;
    drop(peer);
    assert_eq!(seconds_to_a_ping(&mut script).await, 20);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_for_calm_in_other_words_is_pinged_as_before() {
    const ENHANCE_YOUR_CALM: u32 = 11;
    let keepalive = Keepalive { time: Some(Duration::from_secs(10)), while_idle: true, ..Keepalive::default() };
    let mut script = Script::with(|builder| builder.keepalive(keepalive));
    script.channel.connect();
    let mut peer = script.accept().await;
    settle().await;
    peer.go_away(0, ENHANCE_YOUR_CALM, "too many calls").await;
    drop(peer);
    assert_eq!(seconds_to_a_ping(&mut script).await, 10);
}

/// Connects anew, and waits for a ping.
async fn seconds_to_a_ping(script: &mut Script) -> u64 {
    pass(Duration::from_secs(1)).await;
    script.channel.connect();
    let mut peer = script.accept().await;
    let begun = tokio::time::Instant::now();
    peer.expect_ping().await;
    begun.elapsed().as_secs()
}

/// On a clock that runs: the loop leaves no time in which a paused one would.
#[tokio::test]
async fn calls_that_fail_at_once_in_a_loop_do_not_starve_their_channel() {
    let backoff = BackoffConfig { initial: Duration::from_millis(1), ..BackoffConfig::default() };
    let mut script = Script::with(|builder| builder.backoff(backoff));
    let channel = script.channel.clone();
    let calls = tokio::spawn(async move { while hello(&channel, "ann").await.is_err() {} });
    drop(script.listener.accept().await);
    let mut peer = script.accept().await;
    let stream = peer.expect_headers().await.stream;
    answer(&mut peer, stream, "hello").await;
    calls.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_many_empty_messages_that_nobody_reads_ends_no_connection() {
    let options = Http2Options { stream_window: 65_535, ..Http2Options::default() };
    let mut script = Script::with(|builder| builder.http2(options));
    let channel = script.channel.clone();
    let stream = tokio::spawn(async move { crate::support::client(&channel).say_hello_repeatedly(repeatedly()).await });
    let mut peer = script.accept().await;
    let unread = peer.expect_headers().await.stream;
    peer.send_headers(unread, crate::support::script::HEAD).await;
    let stream = stream.await.unwrap().unwrap();
    for _ in 0..10_000 {
        peer.send_message(unread, &[]).await;
    }
    let other = crate::support::call(&script.channel, named("bob"));
    let second = peer.expect_headers().await.stream;
    answer(&mut peer, second, "hello bob").await;
    assert_eq!(other.await.unwrap().unwrap().message, "hello bob");
    drop(stream);
}

fn repeatedly() -> thalweg_proto::demo::HelloRepeatedlyRequest {
    thalweg_proto::demo::HelloRepeatedlyRequest { name: "ann".into(), times: 1, interval_ms: 0 }
}
