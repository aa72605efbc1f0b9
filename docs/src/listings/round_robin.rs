//! `round_robin` once more, as the chapter "A policy from scratch" builds it. The chapter includes it piece by piece.

// ANCHOR: policy
use std::{
    collections::BTreeMap,
    mem,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use thalweg::core::{
    connectivity::Connectivity,
    endpoint::{Endpoint, EndpointKey},
    json::ConfigError,
    lb::{
        AnyConfig, Cx, Event, Failure, Fixed, LbPolicy, Pick, PickArgs, Picker, Rejected, Resolution,
        child::{ChildSet, Key},
        pick_first,
        registry::{self, Policies, PolicyFactory},
    },
    status::Status,
};

/// Every READY endpoint in turn.
#[derive(Debug, Default)]
struct Turns {
    /// A `pick_first` leaf for each endpoint.
    children: ChildSet,
    /// Which child an endpoint has.
    seats: BTreeMap<EndpointKey, Key>,
    /// The children's pickers.
    pickers: BTreeMap<Key, Arc<dyn Picker>>,
    /// What the resolver said when it failed.
    trouble: Option<Status>,
    /// Whose turn it is, for this picker and all that follow it.
    turn: Arc<AtomicUsize>,
}
// ANCHOR_END: policy

// ANCHOR: seats
impl Turns {
    /// Gives each endpoint to its child: the one that it had, or a new one.
    fn seat(&mut self, cx: &mut Cx<'_>, endpoints: &[Endpoint]) {
        let mut before = mem::take(&mut self.seats);
        for endpoint in endpoints.iter().filter(|endpoint| !endpoint.addresses().is_empty()) {
            let known = before.remove(&endpoint.key()).or_else(|| self.seats.get(&endpoint.key()).copied());
            let child = known.unwrap_or_else(|| self.children.insert(Box::new(pick_first::leaf())));
            let update = Resolution { endpoints: Arc::new([endpoint.clone()]), config: None };
            self.children.call(cx, child, |leaf, cx| {
                // It has an address, so it is of use.
                let _ = leaf.on_resolution(cx, &update);
            });
            self.seats.insert(endpoint.key(), child);
        }
        for child in before.into_values() {
            self.children.remove(cx, child);
        }
    }
}
// ANCHOR_END: seats

// ANCHOR: state
impl Turns {
    /// READY if any child is, else CONNECTING if any is, else TRANSIENT_FAILURE.
    fn state(&self) -> Connectivity {
        let any = |state| self.children.count(state) > 0;
        if any(Connectivity::Ready) {
            Connectivity::Ready
        } else if any(Connectivity::Connecting) || any(Connectivity::Idle) {
            Connectivity::Connecting
        } else {
            Connectivity::TransientFailure
        }
    }
}
// ANCHOR_END: state

// ANCHOR: picker
/// A snapshot: who was READY when it was made.
#[derive(Debug)]
struct Rotation {
    ready: Vec<Arc<dyn Picker>>,
    turn: Arc<AtomicUsize>,
}

impl Picker for Rotation {
    fn pick(&self, args: &PickArgs<'_>) -> Pick {
        let turn = self.turn.fetch_add(1, Relaxed);
        self.ready[turn % self.ready.len()].pick(args)
    }
}

impl Turns {
    /// Renews the pickers of those children that have reported since the last time.
    fn refresh(&mut self, cx: &mut Cx<'_>) {
        for child in self.children.take_stale() {
            match self.children.picker(cx, child) {
                Some(picker) => _ = self.pickers.insert(child, picker),
                None => _ = self.pickers.remove(&child),
            }
        }
    }

    /// The pickers of the children in this state.
    fn of(&self, state: Connectivity) -> impl Iterator<Item = &Arc<dyn Picker>> {
        self.pickers
            .iter()
            .filter(move |(child, _)| self.children.state(**child) == Some(state))
            .map(|(_, picker)| picker)
    }

    /// One story out of those of all children.
    fn failure(&self, cx: &Cx<'_>) -> Failure {
        if let Some(status) = &self.trouble {
            return Failure::Status(status.clone());
        }
        let args = PickArgs::new("", cx.now(), 0);
        let told = self.of(Connectivity::TransientFailure).filter_map(|picker| match picker.pick(&args) {
            Pick::Fail(failure) => Some(failure),
            _ => None,
        });
        Failure::merged(told).unwrap_or_else(|| Failure::of([]))
    }
}
// ANCHOR_END: picker

// ANCHOR: contract
impl LbPolicy for Turns {
    fn on_resolution(&mut self, cx: &mut Cx<'_>, update: &Resolution) -> Result<(), Rejected> {
        self.seat(cx, &update.endpoints);
        let is_empty = self.children.is_empty();
        self.trouble = is_empty.then(|| Status::unavailable("the resolver returned no addresses"));
        cx.report(self.state());
        if is_empty { Err(Rejected) } else { Ok(()) }
    }

    fn on_resolver_error(&mut self, cx: &mut Cx<'_>, error: &Status) {
        if self.children.is_empty() {
            self.trouble = Some(error.clone());
            cx.report(Connectivity::TransientFailure);
        }
    }

    fn on_event(&mut self, cx: &mut Cx<'_>, event: &Event) {
        let Some(report) = self.children.route(cx, event) else { return };
        if report.to == Connectivity::Idle {
            self.children.call(cx, report.child, |leaf, cx| leaf.exit_idle(cx));
        }
        cx.report(self.state());
    }

    fn picker(&mut self, cx: &mut Cx<'_>) -> Arc<dyn Picker> {
        self.refresh(cx);
        match self.state() {
            Connectivity::Ready => {
                let ready = self.of(Connectivity::Ready).cloned().collect();
                Arc::new(Rotation { ready, turn: Arc::clone(&self.turn) })
            }
            Connectivity::TransientFailure => Arc::new(Fixed::new(Pick::Fail(self.failure(cx)))),
            _ => Arc::new(Fixed::new(Pick::Queue)),
        }
    }

    fn exit_idle(&mut self, _: &mut Cx<'_>) {}

    fn shutdown(&mut self, cx: &mut Cx<'_>) {
        self.children.clear(cx);
    }
}
// ANCHOR_END: contract

// ANCHOR: factory
#[derive(Debug)]
pub(crate) struct Factory;

impl PolicyFactory for Factory {
    fn name(&self) -> &str {
        "turns"
    }

    fn parse(&self, config: &serde_json::Value, _: &Policies) -> Result<Arc<dyn AnyConfig>, ConfigError> {
        registry::no_fields(config)
    }

    fn build(&self) -> Box<dyn LbPolicy> {
        Box::new(Turns::default())
    }
}
// ANCHOR_END: factory

// ANCHOR: channel
#[tokio::test]
async fn a_channel_takes_turns_if_its_config_says_so() {
    use thalweg::{Channel, registry::Registry};

    let channel = Channel::builder("dns:///greeter:50051")
        .registry(Registry::default().with_policy(Factory))
        .default_service_config(r#"{"loadBalancingConfig": [{"turns": {}}]}"#)
        .build();
    assert!(channel.is_ok());
}
// ANCHOR_END: channel

// ANCHOR: story
#[test]
fn calls_take_turns_and_leave_out_who_is_gone() {
    use thalweg_sim::Sim;

    let mut sim = Sim::new(Turns::default());
    assert!(sim.resolve(&[&["a"], &["b"]]).is_ok());
    sim.accept("a");
    sim.accept("b");
    let (first, second) = (sim.served_by(), sim.served_by());
    assert_ne!(first, second);
    assert_eq!((sim.served_by(), sim.served_by()), (first, second));
    sim.close("b");
    assert_eq!(sim.served_by().as_deref(), Some("a"));
    sim.finish();
}
// ANCHOR_END: story

// ANCHOR: histories
#[test]
fn it_keeps_the_contract_in_random_histories() {
    use thalweg_sim::{Sim, conformance::Histories};

    Histories::new(500).check(|seed| Sim::seeded(seed, Turns::default()).uses_what_is_ready());
}
// ANCHOR_END: histories
