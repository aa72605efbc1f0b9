//! Policies of the user's own that break: they panic, pick what is not theirs, or are configured wrong.

use std::{
    fmt::{self, Debug},
    sync::{Arc, Mutex},
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
use tonic::Code;

use crate::support::{
    call,
    fleet::{Fleet, ONE},
    hello, named, pass, send, settle, told,
};

/// When a policy may panic.
const MOMENTS: [&str; 12] = [
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
];

type When = &'static str;

/// The policy's configuration: `{"when": "timer"}`.
#[derive(Clone, Copy, Debug)]
struct Config(When);

/// A policy with one subchannel that connects for the first call, and panics when its configuration says.
struct Fragile {
    when: When,
    id: Option<SubchannelId>,
    timer: Option<Timer>,
    wake: Option<Wake>,
    state: SubchannelState,
    seen: Seen,
}

/// What policies made, and what they are to pick instead of their own.
#[derive(Clone, Default)]
struct Seen {
    made: Arc<Mutex<Vec<SubchannelId>>>,
    foreign: Arc<Mutex<Option<SubchannelId>>>,
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
}

impl LbPolicy for Fragile {
    fn on_resolution(&mut self, cx: &mut Cx<'_>, update: &Resolution) -> Result<(), Rejected> {
        self.when = update.config_as::<Config>().map_or(self.when, |config| config.0);
        if let Some(old) = self.id.take() {
            cx.shutdown(old);
        }
        let endpoint = &update.endpoints[0];
        let id = cx.create(endpoint, &endpoint.addresses()[0]);
        self.seen.made.lock().unwrap().push(id);
        self.id = Some(id);
        cx.observe(id, Arc::new(Observer(self.when)));
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
        Arc::new(Fixed { pick, wake: self.wake })
    }
    fn exit_idle(&mut self, cx: &mut Cx<'_>) {
        self.break_if("exit idle");
        self.on_wake(cx, self.wake.unwrap());
    }
    fn shutdown(&mut self, cx: &mut Cx<'_>) {
        self.break_if("shutdown");
        self.id.take().into_iter().for_each(|id| cx.shutdown(id));
        self.timer.take().into_iter().for_each(|timer| cx.cancel(timer));
        self.wake.take().into_iter().for_each(|wake| cx.withdraw(wake));
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
struct Observer(When);

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
        Ok(Arc::new(Config(when)))
    }
    fn build(&self) -> Box<dyn LbPolicy> {
        let (state, seen) = (SubchannelState::Idle, self.0.clone());
        Box::new(Fragile { when: "never", id: None, timer: None, wake: None, state, seen })
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

/// What a call is told of a policy that broke.
fn broke(policies: &str, when: &str) -> String {
    format!("no backend of names:fleet can be used: the load-balancing policy {policies} panicked: it broke at {when}")
}

#[tokio::test(start_paused = true)]
async fn a_channel_survives_a_policy_that_panics_wherever_it_does_so() {
    for when in ["resolution", "wake", "connected", "picker"] {
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
    let mut patient = named("ann");
    patient.set_wait_for_ready(true);
    let patient = call(&channel, patient);
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
    world.fleet.names.set(tree("connected"));
    let status = hello(&channel, "ann").await.unwrap_err();
    assert_eq!(status.message(), broke("priority > weighted_target > fragile", "connected"));
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
async fn a_picker_that_panics_fails_the_call_and_nothing_else() {
    let world = World::new();
    let _one = world.fleet.start(ONE).await;
    let channel = world.channel();
    world.resolve("pick").await;
    let status = hello(&channel, "ann").await.unwrap_err();
    let text =
        "the picker of the load-balancing policy panicked: no idea where to send /thalweg.demo.v1.Greeter/SayHello";
    assert_eq!(told(&status), (Code::Internal, text, Some(LocalError::NoBackend)));
    world.resolve("never").await;
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
    // Another channel, whose policy has made its third subchannel; this one never will.
    let other = World::new();
    let _one = other.fleet.start(ONE).await;
    let elsewhere = other.channel();
    elsewhere.connect();
    for _ in 0..3 {
        other.resolve("never").await;
    }
    let foreign = *other.seen.made.lock().unwrap().last().unwrap();
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
    let error = world.builder().default_service_config(json).build().unwrap_err().to_string();
    assert_eq!(error, format!("default service config: {path}: no such moment"));

    let channel = world.channel();
    world.fleet.names.set(world.update(json));
    let status = hello(&channel, "ann").await.unwrap_err();
    let text = format!(
        "no backend of names:fleet can be used: the resolver's service config is broken: {path}: no such moment"
    );
    assert_eq!(status.message(), text);
    world.resolve("never").await;
    hello(&channel, "ann").await.unwrap();
}
