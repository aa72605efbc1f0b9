//! Load-balancing policies, in the box and of the user's own, as calls feel them.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use serde_json::Value;
use thalweg::{
    Channel,
    core::{
        connectivity::Connectivity,
        json::ConfigError,
        lb::{
            AnyConfig, CallEnd, CallObserver, Cx, Failure, Fixed, LbPolicy, Pick, Picker, Rejected, Resolution,
            SubchannelId, SubchannelState,
            registry::{Policies, PolicyFactory, no_fields},
        },
        status::{Code as CoreCode, Status as CoreStatus},
    },
    error::LocalError,
    registry::Registry,
    request::RequestExt,
};
use thalweg_proto::demo::HelloRepeatedlyRequest;
use tokio::time::Instant;
use tonic::Code;

use crate::support::{
    call, client,
    fleet::{Fleet, ONE, ROUND_ROBIN, THREE, TWO},
    hello, named, pass,
    script::{REFUSED, Script, answer},
    send, settle, told, until,
};

/// How many of `calls` calls each backend answers.
async fn spread(channel: &Channel, calls: usize) -> BTreeMap<String, usize> {
    let mut spread = BTreeMap::new();
    for _ in 0..calls {
        *spread.entry(hello(channel, "ann").await.unwrap().backend).or_default() += 1;
    }
    spread
}

fn even<const N: usize>(backends: [&str; N], each: usize) -> BTreeMap<String, usize> {
    backends.map(|backend| (backend.to_owned(), each)).into()
}

#[tokio::test(start_paused = true)]
async fn round_robin_spreads_calls_evenly_and_uses_a_backend_that_comes_back() {
    let fleet = Fleet::new();
    let (_one, two, _three) = (fleet.start(ONE).await, fleet.start(TWO).await, fleet.start(THREE).await);
    let channel = fleet.to_each(&[ONE, TWO, THREE]);
    channel.ready().await;
    settle().await;
    assert_eq!(spread(&channel, 300).await, even([ONE, TWO, THREE], 100));
    two.kill();
    settle().await;
    assert_eq!(spread(&channel, 300).await, even([ONE, THREE], 150));
    let _two = fleet.start(TWO).await;
    // The first wait is a second, give or take a fifth.
    pass(Duration::from_millis(1300)).await;
    assert_eq!(spread(&channel, 300).await, even([ONE, TWO, THREE], 100));
}

#[tokio::test(start_paused = true)]
async fn round_robin_connects_again_at_once_when_a_connection_ends() {
    let fleet = Fleet::new();
    let one = fleet.start(ONE).await;
    let channel = fleet.to_each(&[ONE]);
    channel.ready().await;
    for _ in 0..10 {
        one.host.cut();
        settle().await;
        assert_eq!(channel.state(), Connectivity::Ready);
    }
    assert_eq!(one.host.attempts(), 11);
}

#[tokio::test(start_paused = true)]
async fn without_a_config_all_calls_go_to_the_first_backend_that_answers() {
    let fleet = Fleet::new();
    let (one, _two) = (fleet.start(ONE).await, fleet.start(TWO).await);
    let channel = fleet.builder(&format!("ipv4:{ONE},{TWO}")).build().unwrap();
    assert_eq!(spread(&channel, 100).await, even([ONE], 100));
    assert_eq!(fleet.network.host(TWO).attempts(), 0);
    one.kill();
    settle().await;
    assert_eq!(spread(&channel, 100).await, even([TWO], 100));
}

#[tokio::test(start_paused = true)]
async fn attempts_to_connect_back_off_by_the_specification() {
    let fleet = Fleet::new();
    let host = fleet.network.host(ONE);
    host.refuse();
    let channel = fleet.to_each(&[ONE]);
    channel.connect();
    settle().await;
    assert_eq!(host.attempts(), 1);
    let mut wait = 1.0;
    for attempt in 2..=15 {
        let begun = Instant::now();
        until("another attempt", Duration::from_millis(5), || host.attempts() >= attempt).await;
        let waited = begun.elapsed().as_secs_f64();
        assert!((0.8 * wait - 0.01..1.2 * wait + 0.01).contains(&waited), "attempt {attempt} came after {waited} s");
        wait = f64::min(1.6 * wait, 120.0);
    }
    assert_eq!(wait, 120.0);
    // A success begins the sequence anew.
    let one = fleet.start(ONE).await;
    channel.ready().await;
    one.kill();
    settle().await;
    let (attempts, begun) = (host.attempts(), Instant::now());
    until("another attempt", Duration::from_millis(5), || host.attempts() != attempts).await;
    assert!(begun.elapsed() < Duration::from_millis(1210), "{:?}", begun.elapsed());
}

/// A policy that fails or drops every call with one status.
#[derive(Debug)]
struct Verdict(Pick);

impl LbPolicy for Verdict {
    fn on_resolution(&mut self, cx: &mut Cx<'_>, _: &Resolution) -> Result<(), Rejected> {
        cx.report(Connectivity::TransientFailure);
        Ok(())
    }
    fn on_resolver_error(&mut self, _: &mut Cx<'_>, _: &CoreStatus) {}
    fn picker(&mut self, _: &mut Cx<'_>) -> Arc<dyn Picker> {
        Arc::new(Fixed::new(self.0.clone()))
    }
    fn exit_idle(&mut self, _: &mut Cx<'_>) {}
    fn shutdown(&mut self, _: &mut Cx<'_>) {}
}

/// Makes policies of the user's own, by any function.
struct Make<F>(F);

impl<F> std::fmt::Debug for Make<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Make")
    }
}

impl<F: Fn() -> Box<dyn LbPolicy> + Send + Sync> PolicyFactory for Make<F> {
    fn name(&self) -> &str {
        "my_policy"
    }
    fn parse(&self, config: &Value, _: &Policies) -> Result<Arc<dyn AnyConfig>, ConfigError> {
        no_fields(config)
    }
    fn build(&self) -> Box<dyn LbPolicy> {
        (self.0)()
    }
}

const MINE: &str = r#"{"loadBalancingConfig": [{"unheard_of": {}}, {"my_policy": {}}, {"round_robin": {}}]}"#;

fn with_policy(fleet: &Fleet, make: impl Fn() -> Box<dyn LbPolicy> + Send + Sync + 'static) -> Channel {
    let registry = Registry::default().with_policy(Make(make));
    Channel::builder(format!("ipv4:{ONE}"))
        .registry(registry)
        .connector(fleet.network.clone())
        .default_service_config(MINE)
        .build()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_policy_fails_calls_with_its_own_status_unless_its_code_is_the_applications() {
    let fleet = Fleet::new();
    for (code, seen, text) in [
        (CoreCode::ResourceExhausted, Code::ResourceExhausted, "enough for today"),
        (
            CoreCode::InvalidArgument,
            Code::Internal,
            "illegal status from the control plane: INVALID_ARGUMENT: enough for today",
        ),
        (CoreCode::Aborted, Code::Internal, "illegal status from the control plane: ABORTED: enough for today"),
    ] {
        let status = CoreStatus::new(code, "enough for today");
        for pick in [Pick::Fail(Failure::Status(status.clone())), Pick::Drop(status)] {
            let channel = with_policy(&fleet, move || Box::new(Verdict(pick.clone())));
            let failed = hello(&channel, "ann").await.unwrap_err();
            assert_eq!(told(&failed), (seen, text, Some(LocalError::NoBackend)));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_drop_fails_even_a_call_that_waits_for_ready() {
    let fleet = Fleet::new();
    let status = CoreStatus::new(CoreCode::Unavailable, "overloaded");
    let channel = with_policy(&fleet, move || Box::new(Verdict(Pick::Drop(status.clone()))));
    let mut patient = named("ann");
    patient.set_wait_for_ready(true);
    assert_eq!(send(&channel, patient).await.unwrap_err().message(), "overloaded");
}

/// What an observer saw of the calls on a subchannel.
#[derive(Debug, Default)]
struct Seen {
    begun: AtomicUsize,
    ended: Mutex<Vec<CoreCode>>,
    /// How long each took, and whether it was sent.
    took: Mutex<Vec<(Duration, bool)>>,
    /// What the trailers say that a call cost.
    costs: Mutex<Vec<Vec<u8>>>,
}

impl CallObserver for Seen {
    fn start(&self) {
        self.begun.fetch_add(1, Relaxed);
    }
    fn end(&self, end: &CallEnd<'_>) {
        self.ended.lock().unwrap().push(end.code);
        self.took.lock().unwrap().push((end.latency, end.sent));
        self.costs.lock().unwrap().extend(end.trailers.joined("x-cost"));
        self.costs.lock().unwrap().extend(end.trailers.joined("x-trace-bin"));
    }
}

/// A policy with one subchannel, whose calls it observes.
#[derive(Debug)]
struct Observing {
    seen: Arc<Seen>,
    id: Option<SubchannelId>,
    ready: bool,
}

impl LbPolicy for Observing {
    fn on_resolution(&mut self, cx: &mut Cx<'_>, update: &Resolution) -> Result<(), Rejected> {
        let endpoint = &update.endpoints[0];
        let id = cx.create(endpoint, &endpoint.addresses()[0]);
        cx.connect(id);
        cx.observe(id, self.seen.clone());
        self.id = Some(id);
        cx.report(Connectivity::Connecting);
        Ok(())
    }
    fn on_resolver_error(&mut self, _: &mut Cx<'_>, _: &CoreStatus) {}
    fn on_subchannel(&mut self, cx: &mut Cx<'_>, _: SubchannelId, state: &SubchannelState) {
        self.ready = *state == SubchannelState::Ready;
        cx.report(state.connectivity());
    }
    fn picker(&mut self, _: &mut Cx<'_>) -> Arc<dyn Picker> {
        let pick = self.id.filter(|_| self.ready).map_or(Pick::Queue, Pick::Use);
        Arc::new(Fixed::new(pick))
    }
    fn exit_idle(&mut self, _: &mut Cx<'_>) {}
    fn shutdown(&mut self, cx: &mut Cx<'_>) {
        if let Some(id) = self.id.take() {
            cx.shutdown(id);
        }
    }
}

fn observed() -> (Arc<Seen>, impl Fn() -> Box<dyn LbPolicy> + Send + Sync + 'static) {
    let seen = Arc::new(Seen::default());
    let make = {
        let seen = seen.clone();
        move || -> Box<dyn LbPolicy> { Box::new(Observing { seen: seen.clone(), id: None, ready: false }) }
    };
    (seen, make)
}

#[tokio::test(start_paused = true)]
async fn a_policy_of_the_users_own_sees_every_call_begin_and_end_once() {
    let fleet = Fleet::new();
    let _one = fleet.start(ONE).await;
    let (seen, make) = observed();
    let channel = with_policy(&fleet, make);
    hello(&channel, "ann").await.unwrap();
    hello(&channel, "fail").await.unwrap_err();
    let mut late = named("hang");
    late.set_timeout(Duration::from_millis(100));
    send(&channel, late).await.unwrap_err();
    let given_up = call(&channel, named("hang"));
    settle().await;
    given_up.abort();
    settle().await;
    let repeat = |name: &str| HelloRepeatedlyRequest { name: name.into(), times: 3, interval_ms: 0 };
    let mut replies = client(&channel).say_hello_repeatedly(repeat("ann")).await.unwrap().into_inner();
    while replies.message().await.unwrap().is_some() {}
    let mut replies = client(&channel).say_hello_repeatedly(repeat("fail")).await.unwrap().into_inner();
    while replies.message().await.is_ok() {}
    drop(client(&channel).say_hello_repeatedly(repeat("stay")).await.unwrap());
    let expected = [
        CoreCode::Ok,
        CoreCode::NotFound,
        CoreCode::DeadlineExceeded,
        CoreCode::Cancelled,
        CoreCode::Ok,
        CoreCode::NotFound,
        CoreCode::Cancelled,
    ];
    assert_eq!(*seen.ended.lock().unwrap(), expected);
    assert_eq!(seen.begun.load(Relaxed), expected.len());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_a_stream_is_observed_from_its_pick_on() {
    let fleet = Fleet::new();
    let _one = fleet.start_with(ONE, |builder| builder.max_concurrent_streams(1)).await;
    let (seen, make) = observed();
    let channel = with_policy(&fleet, make);
    let first = call(&channel, named("wait 5000"));
    settle().await;
    let second = call(&channel, named("wait 100"));
    let mut late = named("ann");
    late.set_timeout(Duration::from_secs(2));
    let (late, given_up) = (call(&channel, late), call(&channel, named("ann")));
    settle().await;
    assert_eq!((seen.begun.load(Relaxed), seen.ended.lock().unwrap().len()), (4, 0));
    given_up.abort();
    late.await.unwrap().unwrap_err();
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    let codes = [CoreCode::Cancelled, CoreCode::DeadlineExceeded, CoreCode::Ok, CoreCode::Ok];
    assert_eq!(*seen.ended.lock().unwrap(), codes);
    let took =
        seen.took.lock().unwrap().iter().map(|(time, sent)| (time.as_millis().div_ceil(10), *sent)).collect::<Vec<_>>();
    assert_eq!(took, [(1, false), (200, false), (500, true), (510, true)], "in hundredths of a second");
}

#[tokio::test(start_paused = true)]
async fn a_policy_of_the_users_own_sees_the_trailers_of_a_call() {
    let fleet = Fleet::new();
    let _one = fleet.start(ONE).await;
    let (seen, make) = observed();
    let channel = with_policy(&fleet, make);
    let mut unary = named("metadata");
    unary.metadata_mut().insert("x-text", "text".parse().unwrap());
    unary.metadata_mut().insert_bin("x-bytes-bin", tonic::metadata::MetadataValue::from_bytes(b"bytes"));
    send(&channel, unary).await.unwrap();
    let repeat = HelloRepeatedlyRequest { name: "trailers".into(), times: 3, interval_ms: 10 };
    let mut replies = client(&channel).say_hello_repeatedly(repeat).await.unwrap().into_inner();
    while replies.message().await.unwrap().is_some() {}
    assert_eq!(*seen.costs.lock().unwrap(), [b"12".to_vec(), vec![0, 255], b"2".to_vec()]);
}

#[tokio::test(start_paused = true)]
async fn each_attempt_of_a_call_that_is_sent_again_is_observed() {
    let (seen, make) = observed();
    let mut script = Script::with(|builder| {
        builder.registry(Registry::default().with_policy(Make(make))).default_service_config(MINE)
    });
    let (call, mut peer, head) = script.call().await;
    peer.expect_message(head.stream).await;
    peer.reset(head.stream, REFUSED).await;
    let stream = peer.expect_headers().await.stream;
    answer(&mut peer, stream, "hello").await;
    call.await.unwrap().unwrap();
    assert_eq!(*seen.ended.lock().unwrap(), [CoreCode::Unavailable, CoreCode::Ok]);
    assert_eq!(seen.begun.load(Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn a_name_with_the_same_address_twice_has_one_backend_there() {
    let fleet = Fleet::new();
    let (_one, _two) = (fleet.start(ONE).await, fleet.start(TWO).await);
    fleet.names.set(fleet.update(&[ONE, TWO, ONE]));
    let channel = fleet.builder("names:fleet").default_service_config(ROUND_ROBIN).build().unwrap();
    channel.ready().await;
    settle().await;
    assert_eq!(spread(&channel, 100).await, even([ONE, TWO], 50));
}
