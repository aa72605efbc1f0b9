//! Policies of the user's own that break: they panic, pick what is not theirs, or are configured wrong.

use std::{
    fmt::{self, Debug},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use serde_json::Value;
use thalweg::{
    Channel,
    channel::ChannelBuilder,
    core::{
        connectivity::Connectivity,
        json::{ConfigError, Node},
        lb::{
            AnyConfig, CallEnd, CallObserver, Cx, Fixed, LbPolicy, Pick, PickArgs, Picker, Rejected, Resolution,
            SubchannelId, SubchannelState, Timer, Wake,
            hierarchy::Path,
            registry::{Policies, PolicyFactory},
        },
        service_config::ServiceConfig,
        status::Status as CoreStatus,
    },
    error::LocalError,
    registry::Registry,
    request::RequestExt,
    resolver::{ResolveError, ResolverUpdate},
};
use thalweg_proto::demo::HelloRequest;
use tonic::{Code, Request};

use crate::support::{
    call,
    fleet::{Fleet, ONE, ROUND_ROBIN},
    hello, named, pass, send, settle, told,
};

/// When a policy may panic.
const MOMENTS: [&str; 18] = [
    "never",
    "resolution",
    "connected",
    "timer",
    "wake",
    "exit idle",
    "picker",
    "pick",
    "call begins",
    "call ends",
    "shutdown",
    "resolver error",
    "parse",
    "build",
    "drop of the configuration",
    "drop of the policy",
    "drop of the picker",
    "drop of the observer",
];

type When = &'static str;

/// The policy's configuration: `{"when": "timer"}`.
#[derive(Debug)]
struct Config(When, #[expect(dead_code, reason = "only its drop matters")] Fuse);

/// Panics as it is dropped, if it is at all to panic.
#[derive(Debug)]
struct Fuse(Option<When>);

impl Fuse {
    fn of(when: When, moment: &str) -> Self {
        Self((when == moment).then_some(when))
    }
}

impl Drop for Fuse {
    fn drop(&mut self) {
        if let Some(when) = self.0 {
            panic!("it broke at {when}");
        }
    }
}

/// A policy with one subchannel that connects for the first call, and panics when its configuration says.
struct Fragile {
    when: When,
    id: Option<SubchannelId>,
    timer: Option<Timer>,
    wake: Option<Wake>,
    state: SubchannelState,
    seen: Seen,
    fuse: Fuse,
}

/// What policies made, and what they are to pick instead of their own.
#[derive(Clone, Default)]
struct Seen {
    made: Arc<Mutex<Vec<SubchannelId>>>,
    foreign: Arc<Mutex<Option<SubchannelId>>>,
    build_breaks: Arc<AtomicBool>,
}

impl Debug for Fragile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fragile").field("when", &self.when).finish_non_exhaustive()
    }
}

impl Fragile {
    fn break_if(&self, when: When) {
        assert!(self.when != when, "it broke at {when}");
    }

    fn give_back(&mut self, cx: &mut Cx<'_>) {
        self.id.take().into_iter().for_each(|id| cx.shutdown(id));
        self.timer.take().into_iter().for_each(|timer| cx.cancel(timer));
        self.wake.take().into_iter().for_each(|wake| cx.withdraw(wake));
    }
}

impl LbPolicy for Fragile {
    fn on_resolution(&mut self, cx: &mut Cx<'_>, update: &Resolution) -> Result<(), Rejected> {
        self.when = update.config_as::<Config>().map_or(self.when, |config| config.0);
        if self.when == "drop of the policy" {
            self.fuse = Fuse(Some(self.when));
        }
        self.give_back(cx);
        let endpoint = &update.endpoints[0];
        let id = cx.create(endpoint, &endpoint.addresses()[0]);
        self.seen.made.lock().unwrap().push(id);
        self.id = Some(id);
        cx.observe(id, Arc::new(Observer(self.when, Fuse::of(self.when, "drop of the observer"))));
        self.timer = Some(cx.arm(Duration::from_secs(5)));
        self.wake = Some(cx.offer());
        self.break_if("resolution");
        self.state = SubchannelState::Idle;
        cx.report(Connectivity::Idle);
        Ok(())
    }
    fn on_resolver_error(&mut self, _: &mut Cx<'_>, _: &CoreStatus) {
        self.break_if("resolver error");
    }
    fn on_subchannel(&mut self, cx: &mut Cx<'_>, _: SubchannelId, state: &SubchannelState) {
        self.state = state.clone();
        if self.state == SubchannelState::Ready {
            self.break_if("connected");
        }
        cx.report(state.connectivity());
    }
    fn on_timer(&mut self, _: &mut Cx<'_>, _: Timer) {
        self.timer = None;
        self.break_if("timer");
    }
    fn on_wake(&mut self, cx: &mut Cx<'_>, _: Wake) {
        self.break_if("wake");
        if self.state == SubchannelState::Idle {
            cx.connect(self.id.unwrap());
        }
    }
    fn picker(&mut self, _: &mut Cx<'_>) -> Arc<dyn Picker> {
        self.break_if("picker");
        let pick = self.id.filter(|_| self.state == SubchannelState::Ready).map_or(Pick::Queue, Pick::Use);
        let pick = self.seen.foreign.lock().unwrap().map_or(pick, Pick::Use);
        if self.when == "pick" {
            return Arc::new(Breaks);
        }
        Arc::new(Fused(Fixed { pick, wake: self.wake }, Fuse::of(self.when, "drop of the picker")))
    }
    fn exit_idle(&mut self, cx: &mut Cx<'_>) {
        self.break_if("exit idle");
        self.on_wake(cx, self.wake.unwrap());
    }
    fn shutdown(&mut self, cx: &mut Cx<'_>) {
        self.break_if("shutdown");
        self.give_back(cx);
    }
}

#[derive(Debug)]
struct Breaks;

impl Picker for Breaks {
    fn pick(&self, args: &PickArgs<'_>) -> Pick {
        panic!("no idea where to send {}", args.method)
    }
}

#[derive(Debug)]
struct Fused(Fixed, #[expect(dead_code, reason = "only its drop matters")] Fuse);

impl Picker for Fused {
    fn pick(&self, args: &PickArgs<'_>) -> Pick {
        self.0.pick(args)
    }
}

#[derive(Debug)]
struct Observer(When, #[expect(dead_code, reason = "only its drop matters")] Fuse);

impl CallObserver for Observer {
    fn start(&self) {
        assert!(self.0 != "call begins", "it broke as a call began");
    }
    fn end(&self, _: &CallEnd<'_>) {
        assert!(self.0 != "call ends", "it broke as a call ended");
    }
}

struct Factory(Seen);

impl Debug for Factory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Factory")
    }
}

impl PolicyFactory for Factory {
    fn name(&self) -> &str {
        "fragile"
    }
    fn parse(&self, config: &Value, _: &Policies) -> Result<Arc<dyn AnyConfig>, ConfigError> {
        let when = Node::root(config).object()?.required("when", |when| {
            let text = when.text()?;
            MOMENTS.into_iter().find(|moment| *moment == text).ok_or_else(|| when.error("no such moment"))
        })?;
        assert!(when != "parse", "it broke at parse");
        self.0.build_breaks.store(when == "build", Relaxed);
        Ok(Arc::new(Config(when, Fuse::of(when, "drop of the configuration"))))
    }
    fn build(&self) -> Box<dyn LbPolicy> {
        assert!(!self.0.build_breaks.load(Relaxed), "it broke at build");
        let (state, seen) = (SubchannelState::Idle, self.0.clone());
        Box::new(Fragile { when: "never", id: None, timer: None, wake: None, state, seen, fuse: Fuse(None) })
    }
}

/// A backend at `ONE`, and a name that leads to it by a policy that breaks.
struct World {
    fleet: Fleet,
    seen: Seen,
}

impl World {
    fn new() -> Self {
        Self { fleet: Fleet::new(), seen: Seen::default() }
    }

    fn registry(&self) -> Registry {
        Registry::default().with_policy(Factory(self.seen.clone())).with_resolver(self.fleet.names.clone())
    }

    fn builder(&self) -> ChannelBuilder {
        self.fleet.builder("names:fleet").registry(self.registry())
    }

    fn channel(&self) -> Channel {
        self.builder().idle_timeout(Some(Duration::from_secs(600))).build().unwrap()
    }

    fn update(&self, json: &str) -> ResolverUpdate {
        let config = ServiceConfig::parse(json, self.registry().policies()).map(Arc::new);
        ResolverUpdate { service_config: Some(config), ..self.fleet.update(&[ONE]) }
    }

    /// The name resolves once more, to a policy that panics then.
    async fn resolve(&self, when: &str) {
        let json = format!(r#"{{"loadBalancingConfig": [{{"fragile": {{"when": "{when}"}}}}]}}"#);
        self.fleet.names.set(self.update(&json));
        settle().await;
    }
}

/// A request that waits for a policy that works.
fn patient() -> Request<HelloRequest> {
    let mut request = named("ann");
    request.set_wait_for_ready(true);
    request
}

/// What a call is told of a policy that broke.
fn broke(policies: &str, when: &str) -> String {
    format!("no backend of names:fleet can be used: the load-balancing policy {policies} panicked: it broke at {when}")
}

#[tokio::test(start_paused = true)]
async fn a_channel_survives_a_policy_that_panics_wherever_it_does_so() {
    for when in ["build", "resolution", "wake", "connected", "picker"] {
        let world = World::new();
        let _one = world.fleet.start(ONE).await;
        let channel = world.channel();
        for _ in 0..3 {
            world.resolve(when).await;
            let status = hello(&channel, "ann").await.unwrap_err();
            let text = broke("fragile", when);
            assert_eq!(told(&status), (Code::Unavailable, &*text, Some(LocalError::NoBackend)));
            assert_eq!(channel.state(), Connectivity::TransientFailure);
        }
        world.resolve("never").await;
        assert_eq!(hello(&channel, "ann").await.unwrap().backend, ONE);
        assert!(
            world.seen.made.lock().unwrap().iter().all(|id| id.slot() <= 1),
            "the places of subchannels are used again"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_panics_harms_no_call_in_flight_and_its_connections_go() {
    let world = World::new();
    let one = world.fleet.start(ONE).await;
    let channel = world.channel();
    world.resolve("timer").await;
    let in_flight = call(&channel, named("wait 8000"));
    pass(Duration::from_millis(5_001)).await;
    let status = hello(&channel, "ann").await.unwrap_err();
    assert_eq!(status.message(), broke("fragile", "timer"));
    let patient = call(&channel, patient());
    assert_eq!(in_flight.await.unwrap().unwrap().backend, ONE);
    settle().await;
    assert!(one.host.connections().is_empty() && !patient.is_finished());
    world.resolve("never").await;
    assert_eq!(patient.await.unwrap().unwrap().backend, ONE);
}

#[tokio::test(start_paused = true)]
async fn what_a_call_is_told_stays_until_a_configuration_comes() {
    let world = World::new();
    let _one = world.fleet.start(ONE).await;
    let channel = world.channel();
    world.resolve("resolver error").await;
    hello(&channel, "ann").await.unwrap();
    for text in ["no such name", "still no such name"] {
        world.fleet.names.fail(ResolveError::Other(text.into()));
        settle().await;
        assert_eq!(hello(&channel, "ann").await.unwrap_err().message(), broke("fragile", "resolver error"));
    }
    world.resolve("never").await;
    hello(&channel, "ann").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_a_call_is_told_of_a_broken_policy_is_forgotten_when_the_channel_sleeps() {
    let world = World::new();
    let _one = world.fleet.start(ONE).await;
    let channel = world.channel();
    world.resolve("resolver error").await;
    hello(&channel, "ann").await.unwrap();
    world.fleet.names.fail(ResolveError::Other("no such name".into()));
    settle().await;
    assert_eq!(hello(&channel, "ann").await.unwrap_err().message(), broke("fragile", "resolver error"));
    pass(Duration::from_secs(1_201)).await;
    assert_eq!(channel.state(), Connectivity::Idle);
    let status = hello(&channel, "ann").await.unwrap_err();
    assert_eq!(status.message(), "no backend of names:fleet can be used: no such name");
}

#[tokio::test(start_paused = true)]
async fn the_policy_that_panics_is_found_below_its_parents() {
    let world = World::new();
    let _one = world.fleet.start(ONE).await;
    let channel = world.channel();
    let tree = |when: &str| {
        let json = format!(
            r#"{{"loadBalancingConfig": [{{"priority_experimental": {{"priorities": ["a"], "children": {{"a": {{"config": [
                {{"weighted_target": {{"targets": {{"b": {{"weight": 1, "childPolicy": [
                    {{"fragile": {{"when": "{when}"}}}}
                ]}}}}}}}}
            ]}}}}}}}}]}}"#
        );
        let mut update = world.update(&json);
        update.endpoints[0] = update.endpoints[0].clone().with(Path::new(["a", "b"]));
        update
    };
    for when in ["build", "connected"] {
        world.fleet.names.set(tree(when));
        settle().await;
        let status = hello(&channel, "ann").await.unwrap_err();
        assert_eq!(status.message(), broke("priority > weighted_target > fragile", when));
    }
    world.fleet.names.set(tree("never"));
    settle().await;
    hello(&channel, "ann").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_channel_connects_and_sleeps_however_its_policy_takes_it() {
    let world = World::new();
    let _one = world.fleet.start(ONE).await;
    let channel = world.channel();
    world.resolve("exit idle").await;
    channel.connect();
    settle().await;
    channel.connect();
    settle().await;
    assert_eq!(channel.state(), Connectivity::TransientFailure);
    world.resolve("shutdown").await;
    hello(&channel, "ann").await.unwrap();
    pass(Duration::from_secs(1_201)).await;
    assert_eq!(channel.state(), Connectivity::Idle);
    hello(&channel, "ann").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_picker_that_panics_is_given_up_with_its_policy() {
    let world = World::new();
    let one = world.fleet.start(ONE).await;
    let channel = world.channel();
    let in_flight = call(&channel, named("wait 1000"));
    world.resolve("never").await;
    world.resolve("pick").await;
    for _ in 0..2 {
        let mut limited = named("ann");
        limited.set_timeout(Duration::from_secs(60));
        let status = send(&channel, limited).await.unwrap_err();
        let text = "no backend of names:fleet can be used: the picker of the load-balancing policy fragile panicked: \
                    no idea where to send /thalweg.demo.v1.Greeter/SayHello";
        assert_eq!(told(&status), (Code::Unavailable, text, Some(LocalError::NoBackend)));
        assert_eq!(channel.state(), Connectivity::TransientFailure);
    }
    world.resolve("pick").await;
    let patient: Vec<_> = (0..3).map(|_| call(&channel, patient())).collect();
    settle().await;
    assert!(patient.iter().all(|call| !call.is_finished()));
    assert_eq!((channel.state(), one.host.connections().len()), (Connectivity::TransientFailure, 1));
    world.resolve("never").await;
    for call in patient.into_iter().chain([in_flight]) {
        assert_eq!(call.await.unwrap().unwrap().backend, ONE);
    }
    assert_eq!(channel.state(), Connectivity::Ready);
}

#[tokio::test(start_paused = true)]
async fn whatever_panics_as_it_is_dropped_harms_no_call() {
    for what in ["configuration", "policy", "picker", "observer"] {
        let world = World::new();
        let _one = world.fleet.start_with(ONE, |builder| builder.max_concurrent_streams(1)).await;
        let channel = world.channel();
        for _ in 0..2 {
            world.resolve(&format!("drop of the {what}")).await;
            let in_flight = call(&channel, named("wait 1000"));
            settle().await;
            let waiting = call(&channel, named("ann"));
            settle().await;
            world.resolve("never").await;
            for call in [in_flight, waiting, call(&channel, named("ann"))] {
                assert_eq!(call.await.unwrap().unwrap().backend, ONE, "{what}");
            }
            assert_eq!(channel.state(), Connectivity::Ready);
            pass(Duration::from_secs(1_201)).await;
            assert_eq!(channel.state(), Connectivity::Idle);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_panics_as_another_takes_its_place_is_named() {
    let world = World::new();
    let _one = world.fleet.start(ONE).await;
    let channel = world.channel();
    world.resolve("drop of the policy").await;
    hello(&channel, "ann").await.unwrap();
    world.fleet.names.set(world.update(ROUND_ROBIN));
    settle().await;
    assert_eq!(hello(&channel, "ann").await.unwrap_err().message(), broke("fragile", "drop of the policy"));
    world.fleet.names.set(world.update(ROUND_ROBIN));
    settle().await;
    hello(&channel, "ann").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_observer_that_panics_harms_no_call() {
    let world = World::new();
    let _one = world.fleet.start(ONE).await;
    for when in ["call begins", "call ends"] {
        let channel = world.channel();
        world.resolve(when).await;
        hello(&channel, "ann").await.unwrap();
        let given_up = call(&channel, named("hang"));
        settle().await;
        given_up.abort();
        assert!(given_up.await.unwrap_err().is_cancelled());
        hello(&channel, "ann").await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_sent_to_a_foreign_subchannel_waits_for_a_better_picker() {
    // This channel has one that is called the same within the channel, or never will.
    for place in [0, 1, 2] {
        a_foreign_subchannel_is_not_used(place).await;
    }
}

async fn a_foreign_subchannel_is_not_used(place: usize) {
    let other = World::new();
    let _one = other.fleet.start(ONE).await;
    let elsewhere = other.channel();
    elsewhere.connect();
    for _ in 0..3 {
        other.resolve("never").await;
    }
    let foreign = other.seen.made.lock().unwrap()[place];
    let world = World::new();
    let _one = world.fleet.start(ONE).await;
    *world.seen.foreign.lock().unwrap() = Some(foreign);
    let channel = world.channel();
    world.resolve("never").await;
    let mut hurried = named("ann");
    hurried.set_timeout(Duration::from_millis(100));
    let status = send(&channel, hurried).await.unwrap_err();
    assert!(!world.seen.made.lock().unwrap().contains(&foreign));
    let text = "after 100ms: 100ms waiting for a READY backend (the load-balancing policy chose a subchannel that is not READY)";
    assert_eq!(told(&status), (Code::DeadlineExceeded, text, Some(LocalError::DeadlineExceeded)));
    let waiting = call(&channel, named("ann"));
    pass(Duration::from_secs(60)).await;
    assert!(!waiting.is_finished());
    *world.seen.foreign.lock().unwrap() = None;
    world.resolve("never").await;
    assert_eq!(waiting.await.unwrap().unwrap().backend, ONE);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_configuration_is_named_by_its_path_wherever_it_comes_from() {
    let json = r#"{"loadBalancingConfig": [{"priority": {"priorities": ["a"], "children": {"a": {"config": [
        {"unheard_of": 7}, {"weighted_target": {"targets": {"b": {"weight": 1, "childPolicy": [
            {"fragile": {"when": "tomorrow"}}
        ]}}}}
    ]}}}}]}"#;
    let path =
        "$.loadBalancingConfig[0].priority.children.a.config[1].weighted_target.targets.b.childPolicy[0].fragile.when";
    let world = World::new();
    let _one = world.fleet.start(ONE).await;
    let refused = |json: &str| world.builder().default_service_config(json).build().unwrap_err().to_string();
    assert_eq!(refused(json), format!("default service config: {path}: no such moment"));
    let panics = json.replace("tomorrow", "parse");
    let factory = path.trim_end_matches(".when");
    let panic =
        format!("{factory}: the load-balancing policy fragile panicked over its configuration: it broke at parse");
    assert_eq!(refused(&panics), format!("default service config: {panic}"));

    let channel = world.channel();
    world.fleet.names.set(world.update(json));
    let status = hello(&channel, "ann").await.unwrap_err();
    let text = format!(
        "no backend of names:fleet can be used: the resolver's service config is broken: {path}: no such moment"
    );
    assert_eq!(status.message(), text);
    world.fleet.names.set(world.update(&panics));
    settle().await;
    let text = format!("no backend of names:fleet can be used: the resolver's service config is broken: {panic}");
    assert_eq!(hello(&channel, "ann").await.unwrap_err().message(), text);
    world.resolve("never").await;
    hello(&channel, "ann").await.unwrap();
    // The last good one stays in use.
    world.fleet.names.set(world.update(&panics));
    settle().await;
    hello(&channel, "ann").await.unwrap();
}
