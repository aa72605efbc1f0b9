//! Health checks (A17): calls go where a server says that it serves, and the watch behind that costs one stream.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use prost::Message;
use serde_json::Value;
use thalweg::{
    BoxFuture, Channel,
    channel::ChannelBuilder,
    core::{
        connectivity::Connectivity,
        json::ConfigError,
        lb::{
            AnyConfig, CallEnd, CallObserver, Cx, Fixed, Health, LbPolicy, Pick, Picker, Rejected, Resolution,
            SubchannelId, SubchannelState, Watch,
            registry::{Policies, PolicyFactory, no_fields},
        },
        service_config::ServiceConfig,
        status::Status as CoreStatus,
    },
    credentials::{CallContext, CallCredentials},
    registry::Registry,
    request::RequestExt,
    resolver::ResolverUpdate,
    transport::keepalive::Keepalive,
};
use thalweg_proto::health::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus, health_server::HealthServer,
};
use thalweg_testkit::peer::Peer;
use tokio::time::Instant;
use tonic::{Code, Status, metadata::MetadataMap};

use crate::support::{
    call,
    fleet::{Fleet, ONE, ROUND_ROBIN, Running, THREE, TWO},
    health::{Nurse, Say},
    hello,
    load::Load,
    logs::Errors,
    named, pass,
    script::{CANCEL, END, HEAD, NO_ERROR, Script, answer},
    send, settle, until,
};

const CHECKED: &str =
    r#"{"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": "shop.Cart"}}"#;
const SECOND: Duration = Duration::from_secs(1);
/// The setting of HTTP/2.
const MAX_CONCURRENT_STREAMS: u16 = 3;

/// A greeter with a nurse.
async fn start(fleet: &Fleet, address: &'static str) -> (Running, Nurse) {
    let nurse = Nurse::new();
    let service = HealthServer::new(nurse.clone());
    (fleet.start_with(address, |builder| builder.add_service(service)).await, nurse)
}

fn builder(fleet: &Fleet, addresses: &[&str]) -> ChannelBuilder {
    fleet.names.set(fleet.update(addresses));
    fleet.builder("names:fleet").default_service_config(CHECKED)
}

fn to_each(fleet: &Fleet, addresses: &[&str]) -> Channel {
    builder(fleet, addresses).build().unwrap()
}

/// What the backends resolve to, with this service config.
fn configured(fleet: &Fleet, addresses: &[&str], json: &str) -> ResolverUpdate {
    let config = ServiceConfig::parse(json, Registry::default().policies());
    ResolverUpdate { service_config: Some(config.map(Arc::new)), ..fleet.update(addresses) }
}

/// Who answers, of 20 calls.
async fn who(channel: &Channel) -> Vec<String> {
    let mut who = vec![];
    for _ in 0..20 {
        who.push(hello(channel, "ann").await.unwrap().backend);
    }
    who.sort();
    who.dedup();
    who
}

async fn failure(channel: &Channel) -> (Code, String) {
    let status = hello(channel, "ann").await.unwrap_err();
    (status.code(), status.message().to_owned())
}

fn unusable(why: &str) -> (Code, String) {
    (Code::Unavailable, format!("no backend of names:fleet can be used: {why}"))
}

#[tokio::test(start_paused = true)]
async fn calls_leave_a_backend_that_does_not_serve_and_come_back_and_none_fails() {
    let fleet = Fleet::new();
    let ((one, nurse), (_two, _)) = (start(&fleet, ONE).await, start(&fleet, TWO).await);
    let channel = to_each(&fleet, &[ONE, TWO]);
    channel.ready().await;
    settle().await;
    let load = Load::start(&channel, 5);
    for _ in 0..20 {
        pass(Duration::from_millis(50)).await;
        nurse.stop_serving();
        settle().await;
        let by_then = one.calls();
        pass(Duration::from_millis(50)).await;
        assert!(one.calls() <= by_then + 1, "{} and then {}", by_then, one.calls());
        nurse.serve();
    }
    let tally = load.finish().await;
    assert!(tally.failed.is_empty(), "{:?}", tally.failed);
    assert!(tally.served[ONE] > 400 && tally.served[TWO] > 1400, "{:?}", tally.served);
    // All the while it was one stream.
    assert_eq!((nurse.asked(), nurse.open()), (vec!["shop.Cart".to_owned()], 1));
}

#[tokio::test(start_paused = true)]
async fn a_call_is_told_what_each_backend_reports() {
    let fleet = Fleet::new();
    let ((_one, sick), (_two, strange)) = (start(&fleet, ONE).await, start(&fleet, TWO).await);
    sick.stop_serving();
    strange.say(Say::Status(ServingStatus::ServiceUnknown));
    fleet.network.host(THREE).refuse();
    let channel = to_each(&fleet, &[ONE, TWO, THREE]);
    channel.connect();
    settle().await;
    assert_eq!(channel.state(), Connectivity::TransientFailure);
    let (code, message) = failure(&channel).await;
    assert_eq!(code, Code::Unavailable);
    for part in [
        format!("{ONE} reports NOT_SERVING"),
        format!("{TWO} reports SERVICE_UNKNOWN for service \"shop.Cart\""),
        format!("{THREE} connection refused"),
    ] {
        assert!(message.contains(&part), "{message}");
    }
    // A service that comes to be known.
    strange.serve();
    settle().await;
    assert_eq!(channel.state(), Connectivity::Ready);
    assert_eq!(who(&channel).await, [TWO]);
    assert_eq!(strange.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_ready_waits_for_a_backend_that_serves() {
    let fleet = Fleet::new();
    let (_one, nurse) = start(&fleet, ONE).await;
    nurse.stop_serving();
    let channel = to_each(&fleet, &[ONE]);
    let mut patient = named("ann");
    patient.set_wait_for_ready(true);
    patient.set_timeout(10 * SECOND);
    let why =
        format!("after 10s: 10s waiting for a READY backend ({})", unusable(&format!("{ONE} reports NOT_SERVING")).1);
    assert_eq!(send(&channel, patient).await.unwrap_err().message(), why);
    let mut patient = named("ann");
    patient.set_wait_for_ready(true);
    let waiting = call(&channel, patient);
    pass(SECOND).await;
    assert!(!waiting.is_finished());
    nurse.serve();
    waiting.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_server_without_health_service_serves_and_is_asked_once() {
    let errors = Errors::listen();
    let fleet = Fleet::new();
    let one = fleet.start(ONE).await;
    let channel = to_each(&fleet, &[ONE]);
    assert_eq!(hello(&channel, "ann").await.unwrap().backend, ONE);
    pass(600 * SECOND).await;
    assert_eq!(errors.count(), 1);
    assert_eq!(channel.state(), Connectivity::Ready);
    assert_eq!(one.handle.connection_stats()[0].counters.streams_started, 2);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_its_health_service_away_goes_on_serving() {
    let fleet = Fleet::new();
    let (_one, nurse) = start(&fleet, ONE).await;
    let channel = to_each(&fleet, &[ONE]);
    nurse.stop_serving();
    channel.connect();
    settle().await;
    assert_eq!(channel.state(), Connectivity::TransientFailure);
    nurse.say(Say::End(Status::unimplemented("no more")));
    settle().await;
    assert_eq!(channel.state(), Connectivity::Ready);
    pass(600 * SECOND).await;
    assert_eq!((nurse.asked().len(), nurse.open()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_fails_is_retried_with_backoff_and_says_so_meanwhile() {
    let fleet = Fleet::new();
    let (_one, nurse) = start(&fleet, ONE).await;
    nurse.say(Say::End(Status::resource_exhausted("too many watchers")));
    let channel = to_each(&fleet, &[ONE]);
    channel.connect();
    settle().await;
    assert_eq!(nurse.asked().len(), 1);
    let mut wait = 1.0;
    for _ in 0..13 {
        let why = format!("{ONE} the health watch failed: RESOURCE_EXHAUSTED: too many watchers");
        assert_eq!(failure(&channel).await, unusable(&why));
        let begun = Instant::now();
        until("another question", Duration::from_millis(5), || !nurse.asked().is_empty()).await;
        let waited = begun.elapsed().as_secs_f64();
        assert!((0.8 * wait - 0.01..1.2 * wait + 0.01).contains(&waited), "{waited} s, and not about {wait}");
        wait = f64::min(1.6 * wait, 120.0);
    }
    // An answer begins the sequence anew, and a watch that lasted is followed at once.
    nurse.serve();
    pass(150 * SECOND).await;
    assert_eq!((channel.state(), nurse.asked().len()), (Connectivity::Ready, 1));
    nurse.say(Say::End(Status::resource_exhausted("too many watchers")));
    settle().await;
    assert_eq!((channel.state(), nurse.asked().len()), (Connectivity::TransientFailure, 1));
    pass(SECOND.mul_f64(1.25)).await;
    assert_eq!(nurse.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_breaks_says_how_without_the_address_twice() {
    let mut script = Script::with(|builder| builder.default_service_config(CHECKED));
    script.channel.connect();
    let mut peer = script.accept().await;
    let stream = peer.expect_headers().await.stream;
    peer.reset(stream, 2).await;
    settle().await;
    let message = hello(&script.channel, "ann").await.unwrap_err().message().to_owned();
    let why = format!("{ONE} the health watch failed: INTERNAL: stream reset with INTERNAL_ERROR");
    assert_eq!(message, format!("no backend of ipv4:{ONE} can be used: {why}"));
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_never_answers_the_watch_gets_no_calls_and_others_do() {
    let fleet = Fleet::new();
    let ((one, nurse), (_two, _)) = (start(&fleet, ONE).await, start(&fleet, TWO).await);
    nurse.say(Say::Nothing);
    let channel = to_each(&fleet, &[ONE, TWO]);
    channel.ready().await;
    settle().await;
    assert_eq!(who(&channel).await, [TWO]);
    // Where there is no other, calls wait.
    fleet.names.set(fleet.update(&[ONE]));
    settle().await;
    assert_eq!(channel.state(), Connectivity::Connecting);
    let waiting = call(&channel, named("ann"));
    pass(60 * SECOND).await;
    assert!(!waiting.is_finished());
    assert_eq!(one.calls(), 0);
    nurse.serve();
    assert_eq!(waiting.await.unwrap().unwrap().backend, ONE);
}

#[tokio::test(start_paused = true)]
async fn a_new_service_is_asked_for_on_live_connections_and_no_call_feels_it() {
    let fleet = Fleet::new();
    let (_one, nurse) = start(&fleet, ONE).await;
    let channel = fleet.builder("names:fleet").build().unwrap();
    fleet.names.set(configured(&fleet, &[ONE], ROUND_ROBIN));
    channel.ready().await;
    assert_eq!(nurse.asked().len(), 0);
    let load = Load::start(&channel, 5);
    for (name, asked, open) in [
        (Some("shop.Cart"), vec!["shop.Cart"], 1),
        (Some("shop.Cart"), vec![], 1),
        (Some("shop.Till"), vec!["shop.Till"], 1),
        (Some(""), vec![""], 1),
        (None, vec![], 0),
    ] {
        let check =
            name.map_or_else(String::new, |name| format!(r#", "healthCheckConfig": {{"serviceName": "{name}"}}"#));
        let json = format!(r#"{{"loadBalancingConfig": [{{"round_robin": {{}}}}]{check}}}"#);
        fleet.names.set(configured(&fleet, &[ONE], &json));
        for _ in 0..20 {
            pass(Duration::from_millis(5)).await;
            assert_eq!(channel.state(), Connectivity::Ready);
        }
        assert_eq!((nurse.asked(), nurse.open()), (asked.iter().map(ToString::to_string).collect(), open));
    }
    let tally = load.finish().await;
    assert!(tally.failed.is_empty(), "{:?}", tally.failed);
    assert_eq!(fleet.network.host(ONE).attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_a_config_takes_back_is_over_and_its_verdict_too() {
    let fleet = Fleet::new();
    let (_one, nurse) = start(&fleet, ONE).await;
    nurse.stop_serving();
    let channel = to_each(&fleet, &[ONE]);
    channel.connect();
    settle().await;
    assert_eq!(channel.state(), Connectivity::TransientFailure);
    fleet.names.set(configured(&fleet, &[ONE], ROUND_ROBIN));
    settle().await;
    assert_eq!((channel.state(), nurse.open()), (Connectivity::Ready, 0));
    fleet.names.set(configured(&fleet, &[ONE], CHECKED));
    settle().await;
    assert_eq!((channel.state(), nurse.open()), (Connectivity::TransientFailure, 1));
}

#[tokio::test(start_paused = true)]
async fn the_application_can_do_without_checks() {
    let fleet = Fleet::new();
    let (_one, nurse) = start(&fleet, ONE).await;
    nurse.stop_serving();
    let channel = builder(&fleet, &[ONE]).disable_health_checks().build().unwrap();
    assert_eq!(who(&channel).await, [ONE]);
    assert_eq!(nurse.asked().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn pick_first_does_without_checks() {
    let fleet = Fleet::new();
    let (_one, nurse) = start(&fleet, ONE).await;
    nurse.stop_serving();
    for policy in ["", r#""loadBalancingConfig": [{"pick_first": {}}],"#] {
        let config = format!(r#"{{{policy} "healthCheckConfig": {{"serviceName": "shop.Cart"}}}}"#);
        let channel = fleet.builder(&format!("ipv4:{ONE}")).default_service_config(config).build().unwrap();
        assert_eq!(who(&channel).await, [ONE]);
    }
    assert_eq!(nurse.asked().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn each_connection_has_one_watch_and_it_ends_with_the_connection() {
    let fleet = Fleet::new();
    let (one, nurse) = start(&fleet, ONE).await;
    let channel = to_each(&fleet, &[ONE]);
    for _ in 0..10 {
        channel.ready().await;
        assert_eq!((nurse.asked().len(), nurse.open()), (1, 1));
        one.host.cut();
        settle().await;
    }
    channel.ready().await;
    fleet.names.set(fleet.update(&[TWO]));
    settle().await;
    assert_eq!(nurse.open(), 0);
    fleet.names.set(fleet.update(&[ONE]));
    channel.ready().await;
    assert_eq!(nurse.open(), 1);
    drop(channel);
    settle().await;
    assert_eq!(nurse.open(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_drains_is_not_held_up_by_watches() {
    let fleet = Fleet::new();
    let ((one, nurse), (_two, _)) = (start(&fleet, ONE).await, start(&fleet, TWO).await);
    let channel = to_each(&fleet, &[ONE, TWO]);
    channel.ready().await;
    settle().await;
    assert_eq!(nurse.open(), 1);
    let begun = Instant::now();
    one.drain().await;
    assert!(begun.elapsed() < SECOND, "{:?}", begun.elapsed());
    assert_eq!(who(&channel).await, [TWO]);
}

#[tokio::test(start_paused = true)]
async fn a_channel_with_nothing_but_watches_goes_idle() {
    let fleet = Fleet::new();
    let (_one, nurse) = start(&fleet, ONE).await;
    let channel = builder(&fleet, &[ONE]).idle_timeout(Some(60 * SECOND)).build().unwrap();
    hello(&channel, "ann").await.unwrap();
    pass(30 * SECOND).await;
    nurse.stop_serving();
    pass(10 * SECOND).await;
    nurse.serve();
    settle().await;
    assert_eq!((channel.state(), nurse.open()), (Connectivity::Ready, 1));
    pass(21 * SECOND).await;
    assert_eq!((channel.state(), nurse.open()), (Connectivity::Idle, 0));
    hello(&channel, "ann").await.unwrap();
    assert_eq!(nurse.open(), 1);
}

/// A channel that watches a server of the script's, and the stream on which it does.
async fn watched(
    configure: impl FnOnce(ChannelBuilder) -> ChannelBuilder,
    settings: &[(u16, u32)],
) -> (Script, Peer, u32) {
    let mut script = Script::with(|builder| configure(builder.default_service_config(CHECKED)));
    script.channel.connect();
    let mut peer = script.accept_with(settings).await;
    let head = peer.expect_headers().await;
    assert_eq!(head.headers.get(":path"), Some("/grpc.health.v1.Health/Watch"));
    let request = HealthCheckRequest::decode(peer.expect_message(head.stream).await).unwrap();
    assert_eq!(request.service, "shop.Cart");
    (script, peer, head.stream)
}

async fn report(peer: &mut Peer, stream: u32, status: ServingStatus) {
    peer.send_message(stream, &HealthCheckResponse { status: status.into() }.encode_to_vec()).await;
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_not_needed_any_more_is_reset() {
    let (script, mut peer, stream) = watched(|builder| builder, &[]).await;
    peer.send_headers(stream, HEAD).await;
    report(&mut peer, stream, ServingStatus::Serving).await;
    script.channel.ready().await;
    drop(script.channel);
    assert_eq!(peer.expect_reset(stream).await, CANCEL);
}

#[tokio::test(start_paused = true)]
async fn a_watch_waits_for_a_stream_as_calls_do() {
    let mut script = Script::with(|builder| builder.default_service_config(CHECKED));
    let outcome = call(&script.channel, named("ann"));
    let mut peer = script.accept_with(&[(MAX_CONCURRENT_STREAMS, 0)]).await;
    peer.expect_quiet(SECOND).await;
    peer.send_settings(&[(MAX_CONCURRENT_STREAMS, 1)]).await;
    let watch = peer.expect_headers().await.stream;
    peer.send_headers(watch, HEAD).await;
    report(&mut peer, watch, ServingStatus::Serving).await;
    // It keeps the only stream that there is.
    peer.expect_message(watch).await;
    peer.expect_quiet(SECOND).await;
    peer.send_settings(&[(MAX_CONCURRENT_STREAMS, 2)]).await;
    let stream = peer.expect_headers().await.stream;
    answer(&mut peer, stream, "hello").await;
    outcome.await.unwrap().unwrap();
}

const TWO_CONNECTIONS: &str = r#"{
    "loadBalancingConfig": [{"round_robin": {}}],
    "healthCheckConfig": {"serviceName": "shop.Cart"},
    "connectionScaling": {"maxConnectionsPerSubchannel": 2}
}"#;

#[tokio::test(start_paused = true)]
async fn two_connections_to_a_server_have_one_watch_which_moves_when_its_connection_goes() {
    let configure = |builder: ChannelBuilder| builder.default_service_config(TWO_CONNECTIONS);
    let mut script = Script::with(configure);
    let first = call(&script.channel, named("ann"));
    let mut one = script.accept_with(&[(MAX_CONCURRENT_STREAMS, 2)]).await;
    let watch = one.expect_headers().await.stream;
    one.send_headers(watch, HEAD).await;
    report(&mut one, watch, ServingStatus::Serving).await;
    one.expect_message(watch).await;
    let stream = one.expect_headers().await.stream;
    // There is no third stream.
    let second = call(&script.channel, named("bob"));
    let mut two = script.accept_with(&[(MAX_CONCURRENT_STREAMS, 2)]).await;
    let head = two.expect_headers().await;
    answer(&mut two, head.stream, "hello bob").await;
    second.await.unwrap().unwrap();
    two.expect_message(head.stream).await;
    two.expect_quiet(SECOND).await;
    // The watch goes, and the call stays.
    one.go_away(u32::MAX >> 1, NO_ERROR, "").await;
    let head = two.expect_headers().await;
    assert_eq!(head.headers.get(":path"), Some("/grpc.health.v1.Health/Watch"));
    assert_eq!(one.expect_reset(watch).await, CANCEL);
    one.expect_message(stream).await;
    answer(&mut one, stream, "hello ann").await;
    first.await.unwrap().unwrap();
    // Until the server has answered, what it said last holds.
    pass(SECOND).await;
    assert_eq!(script.channel.state(), Connectivity::Ready);
    two.send_headers(head.stream, HEAD).await;
    report(&mut two, head.stream, ServingStatus::NotServing).await;
    settle().await;
    assert_eq!(script.channel.state(), Connectivity::TransientFailure);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_waits_for_a_stream_may_have_another_connection_made() {
    let mut script = Script::with(|builder| builder.default_service_config(TWO_CONNECTIONS));
    script.channel.connect();
    let _one = script.accept_with(&[(MAX_CONCURRENT_STREAMS, 0)]).await;
    let mut two = script.accept().await;
    let watch = two.expect_headers().await.stream;
    two.send_headers(watch, HEAD).await;
    report(&mut two, watch, ServingStatus::Serving).await;
    script.channel.ready().await;
}

#[tokio::test(start_paused = true)]
async fn keepalive_takes_a_watch_for_a_call() {
    let keepalive = Keepalive { time: Some(10 * SECOND), ..Keepalive::default() };
    let (_script, mut peer, _) = watched(|builder| builder.keepalive(keepalive), &[]).await;
    let begun = Instant::now();
    for pings in 1..=3 {
        peer.expect_ping().await;
        assert_eq!(begun.elapsed().as_secs(), pings * 10);
    }
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_no_health_are_failures() {
    for (message, reason) in
        [(&[8, 9][..], "reports the unheard-of status 9"), (&[8], "the health watch failed: INTERNAL: ")]
    {
        let (script, mut peer, stream) = watched(|builder| builder, &[]).await;
        peer.send_headers(stream, HEAD).await;
        peer.send_message(stream, message).await;
        settle().await;
        let status = hello(&script.channel, "ann").await.unwrap_err();
        assert!(status.message().contains(reason), "{}", status.message());
    }
    let (script, mut peer, stream) = watched(|builder| builder, &[]).await;
    peer.send_headers(stream, HEAD).await;
    peer.send_trailers(stream, END).await;
    settle().await;
    let status = hello(&script.channel, "ann").await.unwrap_err();
    assert!(status.message().ends_with("the health watch failed: the server ended it"), "{}", status.message());
}

/// Credentials that name themselves.
#[derive(Debug)]
struct Token;

impl CallCredentials for Token {
    fn metadata<'a>(&'a self, call: CallContext<'a>) -> BoxFuture<'a, Result<MetadataMap, Status>> {
        let mut metadata = MetadataMap::new();
        metadata.insert("x-token-for", call.method.parse().unwrap());
        Box::pin(async move { Ok(metadata) })
    }

    fn require_security(&self) -> bool {
        false
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_bears_the_channels_credentials_and_name() {
    let configure =
        |builder: ChannelBuilder| builder.default_service_config(CHECKED).call_credentials(Token).user_agent("shop/1");
    let mut script = Script::with(configure);
    script.channel.connect();
    let mut peer = script.accept().await;
    let head = peer.expect_headers().await;
    assert_eq!(head.headers.get("x-token-for"), Some("/grpc.health.v1.Health/Watch"));
    assert_eq!(head.headers.get(":authority"), Some("10.0.0.1:50051"));
    assert!(head.headers.get("user-agent").unwrap().starts_with("shop/1 grpc-rust-thalweg/"));
    assert_eq!(head.headers.get("grpc-timeout"), None);
}

/// What a policy saw of the subchannel that it watches twice.
#[derive(Debug, Default)]
struct Seen {
    health: Mutex<Vec<(usize, Health)>>,
    calls: AtomicUsize,
}

impl CallObserver for Seen {
    fn start(&self) {
        self.calls.fetch_add(1, Relaxed);
    }
    fn end(&self, _: &CallEnd<'_>) {}
}

/// Watches the health of one subchannel twice, for as long as it is told to; READY while it is connected.
#[derive(Debug)]
struct Twice {
    seen: Arc<Seen>,
    id: Option<SubchannelId>,
    watches: Vec<Watch>,
}

impl LbPolicy for Twice {
    fn on_resolution(&mut self, cx: &mut Cx<'_>, update: &Resolution) -> Result<(), Rejected> {
        let endpoint = &update.endpoints[0];
        let id = *self.id.get_or_insert_with(|| cx.create(endpoint, &endpoint.addresses()[0]));
        match self.watches.pop() {
            Some(watch) => cx.unwatch(watch),
            None => {
                self.watches = vec![cx.watch_health(id), cx.watch_health(id)];
                cx.observe(id, self.seen.clone());
                cx.connect(id);
            }
        }
        cx.report(Connectivity::Connecting);
        Ok(())
    }
    fn on_resolver_error(&mut self, _: &mut Cx<'_>, _: &CoreStatus) {}
    fn on_subchannel(&mut self, cx: &mut Cx<'_>, _: SubchannelId, state: &SubchannelState) {
        cx.report(state.connectivity());
    }
    fn on_health(&mut self, _: &mut Cx<'_>, watch: Watch, health: &Health) {
        let place = self.watches.iter().position(|known| *known == watch).unwrap();
        self.seen.health.lock().unwrap().push((place, health.clone()));
    }
    fn picker(&mut self, _: &mut Cx<'_>) -> Arc<dyn Picker> {
        Arc::new(Fixed::new(self.id.map_or(Pick::Queue, Pick::Use)))
    }
    fn exit_idle(&mut self, cx: &mut Cx<'_>) {
        self.id.into_iter().for_each(|id| cx.connect(id));
    }
    fn shutdown(&mut self, cx: &mut Cx<'_>) {
        self.id.take().into_iter().for_each(|id| cx.shutdown(id));
    }
}

#[derive(Debug)]
struct Make(Arc<Seen>);

impl PolicyFactory for Make {
    fn name(&self) -> &str {
        "twice"
    }
    fn parse(&self, config: &Value, _: &Policies) -> Result<Arc<dyn AnyConfig>, ConfigError> {
        no_fields(config)
    }
    fn build(&self) -> Box<dyn LbPolicy> {
        Box::new(Twice { seen: self.0.clone(), id: None, watches: vec![] })
    }
}

impl Seen {
    /// What both watches have heard since the last look, which is the same.
    fn both(&self) -> Vec<Health> {
        let heard = std::mem::take(&mut *self.health.lock().unwrap());
        let by =
            |place| heard.iter().filter(|(at, _)| *at == place).map(|(_, health)| health.clone()).collect::<Vec<_>>();
        assert_eq!(by(0), by(1));
        by(0)
    }
}

#[tokio::test(start_paused = true)]
async fn two_watches_share_a_stream_that_no_observer_sees_and_the_last_one_ends_it() {
    let fleet = Fleet::new();
    let ((one, nurse), seen) = (start(&fleet, ONE).await, Arc::<Seen>::default());
    let registry = Registry::default().with_resolver(fleet.names.clone()).with_policy(Make(seen.clone()));
    let config = r#"{"loadBalancingConfig": [{"twice": {}}], "healthCheckConfig": {"serviceName": ""}}"#;
    let channel = builder(&fleet, &[ONE]).registry(registry).default_service_config(config).build().unwrap();
    channel.ready().await;
    assert_eq!(seen.both(), [Health::Pending, Health::Serving]);
    nurse.stop_serving();
    settle().await;
    assert_eq!(seen.both(), [Health::NotServing("reports NOT_SERVING".into())]);
    assert_eq!((nurse.asked().len(), nurse.open(), seen.calls.load(Relaxed)), (1, 1, 0));
    // Without a connection nothing is known.
    one.host.cut();
    settle().await;
    assert_eq!((seen.both(), nurse.open()), (vec![Health::Pending], 0));
    nurse.serve();
    channel.ready().await;
    settle().await;
    assert_eq!((seen.both(), nurse.open()), (vec![Health::Serving], 1));
    for open in [1, 0] {
        fleet.names.set(fleet.update(&[ONE]));
        settle().await;
        assert_eq!(nurse.open(), open);
    }
    assert_eq!(nurse.asked().len(), 1);
}
