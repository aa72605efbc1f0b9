//! A user's policies over those in the box, and those in the box over a user's.
//!
//! `lanes` is a parent: it hosts whatever policies its configuration names, and each call chooses its lane by what is
//! known of it. `fewest` is a leaf that owns its subchannels: it sends each call where the fewest are at work.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use serde_json::{Value, json};
use thalweg_core::{
    connectivity::Connectivity,
    endpoint::{Address, Endpoint},
    json::{ConfigError, Node},
    lb::{
        AnyConfig, BackendFailure, CallEnd, CallObserver, Cx, Event, Failure, Fixed, LbPolicy, Pick, PickArgs, Picker,
        Rejected, Resolution, SubchannelId, SubchannelState, Timer,
        child::{ChildSet, Key},
        graceful_switch::GracefulSwitch,
        hierarchy,
        registry::{Policies, PolicyChoice, PolicyFactory, no_fields},
    },
    metadata::Metadata,
    orca::LoadReport,
    status::{Code, Status},
};
use thalweg_sim::{Sim, conformance::Histories};

use crate::weighted_target::at;

/// How long a failure counts against a desk.
const FORGIVEN_AFTER: Duration = Duration::from_secs(30);

/// What is known of the calls on one subchannel.
#[derive(Debug, Default)]
struct Desk {
    at_work: AtomicUsize,
    failures: AtomicUsize,
    /// An attribute of the endpoint: how many clerks sit there.
    clerks: usize,
}

impl CallObserver for Desk {
    fn start(&self) {
        self.at_work.fetch_add(1, Relaxed);
    }
    fn end(&self, end: &CallEnd<'_>) {
        self.at_work.fetch_sub(1, Relaxed);
        let slow = end.latency > Duration::from_secs(1);
        let busy = end.load.is_some_and(|load| load.cpu_utilization > 0.9);
        let sorry = end.trailers.joined("x-sorry").is_some();
        self.failures.fetch_add(usize::from(end.code == Code::Unavailable || slow || busy || sorry), Relaxed);
    }
}

impl Desk {
    fn load(&self) -> (usize, usize) {
        (self.failures.load(Relaxed), self.at_work.load(Relaxed) * 100 / self.clerks)
    }
}

/// The attribute by which a resolver tells how many clerks an endpoint has.
#[derive(Clone, Copy, Debug)]
struct Clerks(usize);

#[derive(Debug)]
struct Place {
    endpoint: Endpoint,
    address: Address,
    state: SubchannelState,
    desk: Arc<Desk>,
}

/// The leaf. It tells its state as it is: a backend that connects again after a failure is CONNECTING.
#[derive(Debug, Default)]
struct Fewest {
    places: BTreeMap<SubchannelId, Place>,
    forgive: Option<Timer>,
}

impl Fewest {
    fn any(&self, state: Connectivity) -> bool {
        self.places.values().any(|place| place.state.connectivity() == state)
    }

    fn state(&self) -> Connectivity {
        let order = [Connectivity::Ready, Connectivity::Connecting];
        order.into_iter().find(|state| self.any(*state)).unwrap_or(Connectivity::TransientFailure)
    }

    fn open(&mut self, cx: &mut Cx<'_>, endpoint: &Endpoint) {
        let clerks = endpoint.attributes().get().map_or(1, |Clerks(clerks)| *clerks);
        for address in &**endpoint.addresses() {
            let desk = Arc::new(Desk { clerks, ..Desk::default() });
            let id = cx.create(endpoint, address);
            cx.observe(id, desk.clone());
            cx.connect(id);
            let (endpoint, address) = (endpoint.clone(), address.clone());
            self.places.insert(id, Place { endpoint, address, state: SubchannelState::Connecting, desk });
        }
    }
}

impl LbPolicy for Fewest {
    fn on_resolution(&mut self, cx: &mut Cx<'_>, update: &Resolution) -> Result<(), Rejected> {
        let listed: BTreeMap<_, _> = update.endpoints.iter().map(|endpoint| (endpoint.key(), endpoint)).collect();
        self.places.retain(|id, place| {
            let stays = listed.contains_key(&place.endpoint.key());
            if !stays {
                cx.shutdown(*id);
            }
            stays
        });
        for (key, endpoint) in listed {
            if !self.places.values().any(|place| place.endpoint.key() == key) {
                self.open(cx, endpoint);
            }
        }
        if self.forgive.is_none() {
            self.forgive = Some(cx.arm(FORGIVEN_AFTER));
        }
        cx.report(self.state());
        if self.places.is_empty() { Err(Rejected) } else { Ok(()) }
    }
    fn on_resolver_error(&mut self, cx: &mut Cx<'_>, _: &Status) {
        if self.places.is_empty() {
            cx.report(Connectivity::TransientFailure);
        }
    }
    fn on_subchannel(&mut self, cx: &mut Cx<'_>, id: SubchannelId, state: &SubchannelState) {
        let Some(place) = self.places.get_mut(&id) else { return };
        if place.state == SubchannelState::Ready && *state == SubchannelState::Idle {
            cx.resolve();
        }
        place.state = state.clone();
        if *state == SubchannelState::Idle {
            cx.connect(id);
            place.state = SubchannelState::Connecting;
        }
        cx.report(self.state());
    }
    fn on_timer(&mut self, cx: &mut Cx<'_>, _: Timer) {
        self.places.values().for_each(|place| place.desk.failures.store(0, Relaxed));
        self.forgive = Some(cx.arm(FORGIVEN_AFTER));
    }
    fn picker(&mut self, _: &mut Cx<'_>) -> Arc<dyn Picker> {
        let ready = self.places.iter().filter(|(_, place)| place.state == SubchannelState::Ready);
        let ready: Vec<_> = ready.map(|(id, place)| (*id, place.desk.clone())).collect();
        let failures = self.places.values().filter_map(|place| match &place.state {
            SubchannelState::TransientFailure { reason, retry_at } => Some(BackendFailure {
                address: place.address.clone(),
                reason: reason.clone(),
                retry_at: Some(*retry_at),
            }),
            _ => None,
        });
        match self.state() {
            Connectivity::Ready => Arc::new(FewestPicker(ready)),
            Connectivity::TransientFailure => Arc::new(Fixed::new(Pick::Fail(Failure::of(failures)))),
            _ => Arc::new(Fixed::new(Pick::Queue)),
        }
    }
    fn exit_idle(&mut self, _: &mut Cx<'_>) {}
    fn shutdown(&mut self, cx: &mut Cx<'_>) {
        std::mem::take(&mut self.places).into_keys().for_each(|id| cx.shutdown(id));
        self.forgive.take().into_iter().for_each(|timer| cx.cancel(timer));
    }
}

#[derive(Debug)]
struct FewestPicker(Vec<(SubchannelId, Arc<Desk>)>);

impl Picker for FewestPicker {
    fn pick(&self, _: &PickArgs<'_>) -> Pick {
        self.0.iter().min_by_key(|(_, desk)| desk.load()).map_or(Pick::Queue, |(id, _)| Pick::Use(*id))
    }
}

#[derive(Debug)]
struct FewestFactory;

impl PolicyFactory for FewestFactory {
    fn name(&self) -> &'static str {
        "fewest"
    }
    fn parse(&self, config: &Value, _: &Policies) -> Result<Arc<dyn AnyConfig>, ConfigError> {
        no_fields(config)
    }
    fn build(&self) -> Box<dyn LbPolicy> {
        Box::new(Fewest::default())
    }
}

/// `{"express": [policies], "local": [policies]}`: the lanes of `lanes`.
#[derive(Clone, Debug)]
struct LanesConfig([PolicyChoice; 2]);

const LANES: [&str; 2] = ["express", "local"];

#[derive(Debug)]
struct LanesFactory;

impl PolicyFactory for LanesFactory {
    fn name(&self) -> &'static str {
        "lanes"
    }
    fn parse(&self, config: &Value, policies: &Policies) -> Result<Arc<dyn AnyConfig>, ConfigError> {
        let config = Node::root(config).object()?;
        let lane = |name| {
            config.required(name, |list| policies.choose(list.value()).map_err(|error| error.under(list.path())))
        };
        Ok(Arc::new(LanesConfig([lane(LANES[0])?, lane(LANES[1])?])))
    }
    fn build(&self) -> Box<dyn LbPolicy> {
        Box::new(Lanes::default())
    }
}

/// The parent. It is READY while any lane is; a call whose lane is not takes the other.
#[derive(Debug, Default)]
struct Lanes {
    children: ChildSet,
    lanes: Option<[Key; 2]>,
    pickers: BTreeMap<Key, Arc<dyn Picker>>,
}

impl Lanes {
    fn state(&self) -> Connectivity {
        let order = [Connectivity::Ready, Connectivity::Connecting, Connectivity::Idle];
        let found = order.into_iter().find(|state| self.children.count(*state) > 0);
        found.unwrap_or(Connectivity::TransientFailure)
    }
}

impl LbPolicy for Lanes {
    fn on_resolution(&mut self, cx: &mut Cx<'_>, update: &Resolution) -> Result<(), Rejected> {
        let host = || Box::new(GracefulSwitch::default());
        let lanes = *self.lanes.get_or_insert_with(|| [self.children.insert(host()), self.children.insert(host())]);
        let endpoints = hierarchy::split(&update.endpoints);
        let mut verdicts = vec![];
        for (n, lane) in lanes.into_iter().enumerate() {
            let config = update.config_as().map(|LanesConfig(lanes)| Arc::new(lanes[n].clone()) as Arc<dyn AnyConfig>);
            let update = Resolution { endpoints: endpoints.get(LANES[n]).cloned().unwrap_or_default(), config };
            self.children.call(cx, lane, |child, cx| verdicts.push(child.on_resolution(cx, &update)));
        }
        cx.report(self.state());
        if verdicts.iter().any(Result::is_ok) { Ok(()) } else { Err(Rejected) }
    }
    fn on_resolver_error(&mut self, cx: &mut Cx<'_>, error: &Status) {
        for lane in self.lanes.into_iter().flatten() {
            self.children.call(cx, lane, |child, cx| child.on_resolver_error(cx, error));
        }
        cx.report(self.state());
    }
    fn on_event(&mut self, cx: &mut Cx<'_>, event: &Event) {
        if self.children.route(cx, event).is_some() {
            cx.report(self.state());
        }
    }
    fn picker(&mut self, cx: &mut Cx<'_>) -> Arc<dyn Picker> {
        for lane in self.children.take_stale() {
            self.pickers.extend(self.children.picker(cx, lane).map(|picker| (lane, picker)));
        }
        let state = self.state();
        let lane = |lane: Key| {
            let usable = self.children.state(lane) == Some(state);
            self.pickers.get(&lane).filter(|_| usable).cloned()
        };
        Arc::new(LanePicker(self.lanes.map_or([None, None], |lanes| lanes.map(lane))))
    }
    fn exit_idle(&mut self, cx: &mut Cx<'_>) {
        for lane in self.lanes.into_iter().flatten() {
            self.children.call(cx, lane, |child, cx| child.exit_idle(cx));
        }
        cx.report(self.state());
    }
    fn shutdown(&mut self, cx: &mut Cx<'_>) {
        self.children.clear(cx);
    }
}

/// The lanes that can be used.
#[derive(Debug)]
struct LanePicker([Option<Arc<dyn Picker>>; 2]);

impl LanePicker {
    /// By header, by method, by hash, or by how much time there is.
    fn wants_express(args: &PickArgs<'_>) -> bool {
        let in_a_hurry = args.deadline.is_some_and(|deadline| deadline < args.now + Duration::from_millis(50));
        let pays = args.metadata.joined("x-fare").is_some_and(|fare| fare == b"first");
        pays || in_a_hurry || args.method.starts_with("/urgent.") || args.hash.is_some_and(|hash| hash == 7)
    }
}

impl Picker for LanePicker {
    fn pick(&self, args: &PickArgs<'_>) -> Pick {
        let [express, local] = &self.0;
        let lane = if Self::wants_express(args) {
            express.as_ref().or(local.as_ref())
        } else {
            local.as_ref().or(express.as_ref())
        };
        lane.map_or(Pick::Queue, |lane| lane.pick(args))
    }
}

fn policies() -> Policies {
    let mut policies = Policies::builtin();
    policies.register(FewestFactory).register(LanesFactory);
    policies
}

fn chosen(policy: &Value) -> Arc<dyn AnyConfig> {
    Arc::new(policies().choose(&json!([policy])).unwrap())
}

fn started(policy: &Value, endpoints: &[Endpoint]) -> Sim {
    let mut sim = Sim::new(GracefulSwitch::default());
    sim.resolve_to(Resolution { endpoints: endpoints.into(), config: Some(chosen(policy)) }).unwrap();
    sim
}

/// Lanes over a `weighted_target` of two `fewest`, and a `priority` of a `round_robin` and a `fewest`.
fn everything() -> Value {
    let fewest = json!([{ "fewest": {} }]);
    json!({ "lanes": {
        "express": [{ "weighted_target": { "targets": {
            "x": { "weight": 1, "childPolicy": fewest },
            "y": { "weight": 3, "childPolicy": fewest }
        } } }],
        "local": [{ "priority": {
            "priorities": ["near", "far"],
            "children": { "near": { "config": [{ "round_robin": {} }] }, "far": { "config": fewest } }
        } }]
    } })
}

fn served(sim: &mut Sim, args: &PickArgs<'_>) -> Option<String> {
    match sim.pick_with(args) {
        Pick::Use(id) => sim.address(id).map(ToString::to_string),
        Pick::Queue | Pick::Fail(_) | Pick::Drop(_) => None,
    }
}

struct Header(&'static str, &'static str);

impl Metadata for Header {
    fn each_value(&self, key: &str, each: &mut dyn FnMut(&[u8])) {
        if key == self.0 {
            each(self.1.as_bytes());
        }
    }
}

#[test]
fn a_users_parent_over_policies_in_the_box_over_a_users_leaf_sends_each_call_its_way() {
    let places = ["express/x/1", "express/y/1", "local/near/1", "local/far/1"];
    let mut sim = started(&everything(), &places.map(at));
    assert_eq!(sim.subchannels().count(), 3, "far is not needed yet");
    places[..3].iter().for_each(|place| sim.accept(place));
    let (now, plain) = (sim.now(), sim.args());
    assert_eq!(served(&mut sim, &plain).as_deref(), Some("local/near/1"));
    let mut express: Vec<PickArgs<'_>> = (0..4).map(|_| sim.args()).collect();
    express[0].metadata = &Header("x-fare", "first");
    express[1].method = "/urgent.Mail/Send";
    express[2].hash = Some(7);
    express[3].deadline = Some(now + Duration::from_millis(20));
    for args in express {
        assert!(served(&mut sim, &args).is_some_and(|place| place.starts_with("express/")), "{args:?}");
    }
    let mut second_class = sim.args();
    second_class.metadata = &Header("x-fare", "second");
    assert_eq!(served(&mut sim, &second_class).as_deref(), Some("local/near/1"));
    sim.close("local/near/1");
    sim.refuse("local/near/1");
    sim.accept("local/far/1");
    let plain = sim.args();
    assert_eq!(served(&mut sim, &plain).as_deref(), Some("local/far/1"));
    sim.finish();
}

#[test]
fn a_users_leaf_hears_of_each_call_and_goes_by_attributes() {
    let endpoints = [at("a").with(Clerks(3)), at("b")];
    let mut sim = started(&json!({ "fewest": {} }), &endpoints);
    ["a", "b"].iter().for_each(|name| sim.accept(name));
    let mut calls = BTreeMap::<String, Vec<_>>::new();
    for _ in 0..8 {
        let call = sim.start_call().unwrap();
        calls.entry(sim.address(call.subchannel()).unwrap().to_string()).or_default().push(call);
    }
    assert_eq!((calls["a"].len(), calls["b"].len()), (6, 2));
    for call in calls.remove("a").unwrap() {
        call.end(Code::Ok, Duration::from_millis(1));
    }
    assert_eq!(sim.served_by().as_deref(), Some("a"));
    let busy = LoadReport { cpu_utilization: 0.95, ..LoadReport::default() };
    let now = sim.now();
    let end = |code, millis| CallEnd::new(code, now, Duration::from_millis(millis));
    let ends = [
        end(Code::Unavailable, 1),
        end(Code::Ok, 1_001),
        CallEnd { load: Some(&busy), ..end(Code::Ok, 1) },
        CallEnd { trailers: &Header("x-sorry", "yes"), ..end(Code::Ok, 1) },
    ];
    for end in ends {
        let unlucky = sim.start_call().unwrap();
        assert_eq!(sim.address(unlucky.subchannel()).unwrap().to_string(), "a");
        unlucky.end_with(&end);
        assert_eq!(sim.served_by().as_deref(), Some("b"), "what has failed comes last: {end:?}");
        sim.advance(FORGIVEN_AFTER);
        assert_eq!(sim.served_by().as_deref(), Some("a"), "and is forgiven by a timer");
    }
    sim.close("a");
    assert_eq!(sim.resolutions_wanted(), 1);
    sim.finish();
}

#[test]
fn a_child_that_does_not_stick_to_its_failure_does_not_keep_calls_waiting() {
    let target = json!({ "weight": 1, "childPolicy": [{ "fewest": {} }] });
    let mut sim =
        started(&json!({ "weighted_target": { "targets": { "x": target, "y": target } } }), &["x/1", "y/1"].map(at));
    ["x/1", "y/1"].iter().for_each(|name| sim.refuse(name));
    assert_eq!(sim.state(), Connectivity::TransientFailure);
    sim.advance(Duration::from_secs(1));
    assert_eq!(sim.state(), Connectivity::TransientFailure, "both connect again, and both have failed");
    sim.accept("y/1");
    assert_eq!(sim.served_by().as_deref(), Some("y/1"));
    sim.finish();
}

#[test]
fn a_priority_that_failed_last_gets_no_time_to_connect_until_it_has_served() {
    let child = json!({ "config": [{ "fewest": {} }] });
    let config = json!({ "priority": { "priorities": ["x", "y"], "children": { "x": child, "y": child } } });
    let mut sim = started(&config, &["x/1", "y/1"].map(at));
    sim.refuse("x/1");
    sim.accept("y/1");
    sim.advance(Duration::from_secs(1));
    assert_eq!(sim.served_by().as_deref(), Some("y/1"), "x is CONNECTING again");
    sim.accept("x/1");
    assert_eq!(sim.served_by().as_deref(), Some("x/1"));
    sim.close("x/1");
    assert_eq!(sim.pick(), Pick::Queue, "x has time");
    sim.advance(Duration::from_secs(10));
    assert_eq!(sim.served_by().as_deref(), Some("y/1"));
    sim.finish();
}

#[test]
fn a_wrong_configuration_deep_inside_is_named_by_its_path() {
    let local =
        json!([{ "priority": { "priorities": ["far"], "children": { "far": { "config": [{ "pick_first": 7 }] } } } }]);
    let config = json!([{ "lanes": { "express": [{ "fewest": {} }], "local": local } }]);
    let error = policies().choose(&config).unwrap_err();
    assert_eq!(error.to_string(), "$[0].lanes.local[0].priority.children.far.config[0].pick_first: must be an object");
}

#[test]
fn any_composition_keeps_the_contract() {
    let fewest = json!([{ "fewest": {} }]);
    let lanes = json!({ "lanes": { "express": fewest, "local": [{ "round_robin": {} }] } });
    for (policy, path) in [
        (json!({ "fewest": {} }), [""; 2]),
        (lanes, ["express", "local"]),
        (everything(), ["express/x", "local/near"]),
        (everything(), ["local/far", "express/y"]),
    ] {
        let histories = Histories::new(500).configs([chosen(&policy)]);
        let tally = histories.check(|seed| {
            let sim = Sim::seeded(seed, GracefulSwitch::default());
            sim.attaching(move |place, endpoint| {
                let names = path[place % 2].split('/').filter(|name| !name.is_empty());
                endpoint.with(hierarchy::Path::new(names)).with(Clerks(place + 1))
            })
        });
        assert!(tally.calls > 5_000, "too tame: {tally:?}");
    }
}
