//! What a history is made of, and how it is told.

use std::{sync::Arc, time::Duration};

use thalweg_core::{
    connectivity::Connectivity,
    lb::{AnyConfig, Rejected, Resolution, SubchannelId, SubchannelState},
    orca::LoadReport,
    random::Random,
    status::{Code, Status},
};

use super::Tally;
use crate::{
    input::Input,
    place::endpoint,
    sim::{Call, Sim},
};

/// How many calls stay in flight before the oldest ends.
const IN_FLIGHT: usize = 5;

/// How many times a healed network may let every attempt succeed before the policy must be READY.
const PATIENCE: usize = 60;

/// How many of those times pass until attempts that nobody answers time out.
const TIMEOUT: usize = 10;

/// An address in a small world: host and port.
type Place = (u64, u64);

fn name((host, port): Place) -> String {
    format!("{host}.{port}")
}

/// One thing that happens. Steps do not depend on each other, so any of them can be left out.
#[derive(Clone, Debug)]
pub enum Step {
    /// The resolver finds these endpoints, and perhaps brings one of the configurations.
    Resolve {
        /// The addresses of each.
        endpoints: Vec<Vec<(u64, u64)>>,
        /// Which configuration.
        config: Option<usize>,
    },
    /// The resolver fails.
    ResolverFails,
    /// Somebody wants a connection.
    ExitIdle,
    /// Time passes, in milliseconds.
    Advance(u64),
    /// Health watches are answered.
    Settle,
    /// A backend falls sick, or is well again.
    Health((u64, u64), bool),
    /// A backend reports its load.
    Load((u64, u64)),
    /// Calls are made, some of which stay in flight.
    Calls(u64),
    /// Attempts succeed and fail and connections end, as this seed says, all in one batch.
    Network(u64),
    /// An event names a token that is dead.
    LateEvent,
}

impl Step {
    /// Random steps; resolutions bring one of `configs` configurations now and then. Most begin with one.
    pub(super) fn history(random: &mut Random, steps: usize, configs: usize) -> Vec<Self> {
        let first = (random.below(10) > 0).then(|| Self::resolve(random, configs));
        let rest = steps.saturating_sub(first.iter().len());
        first.into_iter().chain((0..rest).map(|_| Self::random(random, configs))).collect()
    }

    fn random(random: &mut Random, configs: usize) -> Self {
        match random.below(14) {
            0 => Self::resolve(random, configs),
            1 => Self::Advance(random.below(400)),
            2 => Self::Advance(random.below(4) * 10_000),
            3 => Self::ExitIdle,
            4 if random.below(4) == 0 => Self::ResolverFails,
            4 => Self::Health((random.below(4), 0), random.below(2) == 0),
            5 => Self::Settle,
            6 | 7 => Self::Calls(random.below(20)),
            8 => Self::Load((random.below(4), 0)),
            9 => Self::LateEvent,
            _ => Self::Network(random.word()),
        }
    }

    /// Endpoints that share and swap addresses, or a plain list that comes again and again.
    fn resolve(random: &mut Random, configs: usize) -> Self {
        let config = (random.below(2) == 0).then(|| random.below(configs as u64) as usize);
        let endpoints = if random.below(3) == 0 {
            (0..random.below(6)).map(|host| some_places(random, host)).collect()
        } else {
            plain()
        };
        Self::Resolve { endpoints, config }
    }
}

fn some_places(random: &mut Random, host: u64) -> Vec<Place> {
    let first = random.below(3);
    (0..=random.below(2)).map(|port| ((host + random.below(2)) % 6, (port + first) % 3)).collect()
}

fn plain() -> Vec<Vec<Place>> {
    vec![vec![(0, 0), (0, 1)], vec![(1, 0)], vec![(2, 0)], vec![(3, 0), (3, 1)]]
}

/// Tells one history to one simulation.
pub(super) struct Teller<'a> {
    sim: Sim,
    configs: &'a [Arc<dyn AnyConfig>],
    random: Random,
    configured: bool,
    /// How many the resolver found last.
    endpoints: usize,
    in_flight: Vec<Call>,
    tally: Tally,
}

impl<'a> Teller<'a> {
    pub(super) fn new(sim: Sim, configs: &'a [Arc<dyn AnyConfig>], seed: u64) -> Self {
        let random = Random::new(!seed);
        Self { sim, configs, random, configured: false, endpoints: 0, in_flight: vec![], tally: Tally::default() }
    }

    /// The whole history, and how it ends.
    pub(super) fn tell(mut self, steps: &[Step]) -> Tally {
        for step in steps {
            self.step(step);
            self.tally.ready += usize::from(self.sim.state() == Connectivity::Ready);
            self.tally.failed += usize::from(self.sim.state() == Connectivity::TransientFailure);
        }
        if self.random.below(2) == 0 {
            self.sim.settle();
            self.sim.quiet();
        }
        if self.random.below(2) == 0 {
            self.recover();
        }
        self.sim.finish();
        // Calls outlive policies.
        self.in_flight.into_iter().for_each(|call| call.end(Code::Cancelled, Duration::ZERO));
        self.tally
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Resolve { endpoints, config } => {
                // Whether the policy takes it or not, the contract holds.
                let _ = self.resolve(endpoints, *config);
            }
            Step::ResolverFails => self.sim.batch([Input::ResolverError(Status::unavailable("no such name"))]),
            Step::ExitIdle => self.sim.batch([Input::ExitIdle]),
            Step::Advance(millis) => self.sim.advance(Duration::from_millis(*millis)),
            Step::Settle => self.sim.settle(),
            Step::Health(at, well) => self.sim.set_health(&name(*at), (!well).then_some("sick")),
            Step::Load(at) => drop(self.sim.report_load(&name(*at), &LoadReport::default())),
            Step::Calls(count) => (0..*count).for_each(|_| self.call()),
            Step::Network(seed) => self.network(Random::new(*seed)),
            Step::LateEvent => self.sim.late_event(),
        }
    }

    fn resolve(&mut self, endpoints: &[Vec<Place>], config: Option<usize>) -> Result<(), Rejected> {
        let config = if std::mem::replace(&mut self.configured, true) { config } else { Some(0) };
        let config = config.and_then(|config| self.configs.get(config)).cloned();
        self.endpoints = endpoints.len();
        let named = endpoints.iter().map(|places| endpoint(&places.iter().copied().map(name).collect::<Vec<_>>()));
        self.sim.resolve_to(Resolution { endpoints: named.collect(), config })
    }

    fn call(&mut self) {
        let mut args = self.sim.args();
        args.hash = (args.random() % 2 == 0).then(|| args.random());
        let Ok(call) = self.sim.start_call_with(&args) else { return };
        self.tally.calls += 1;
        self.in_flight.push(call);
        if self.random.below(4) > 0 || self.in_flight.len() > IN_FLIGHT {
            let code = if self.random.below(3) == 0 { Code::Unavailable } else { Code::Ok };
            let call = self.in_flight.swap_remove(self.random.below(self.in_flight.len() as u64) as usize);
            call.end(code, Duration::from_millis(3));
        }
    }

    fn network(&mut self, mut random: Random) {
        let refused = self.sim.failure("connection refused");
        let mut changes: Vec<(SubchannelId, SubchannelState)> = vec![];
        for (id, _, state) in self.sim.subchannels() {
            let to = match (state, random.below(6)) {
                (SubchannelState::Connecting, 0 | 1) => refused.clone(),
                (SubchannelState::Connecting, 2) if random.below(4) == 0 => SubchannelState::Idle,
                (SubchannelState::Connecting, _) => SubchannelState::Ready,
                (SubchannelState::Ready, 0) => match random.below(8) {
                    // An attempt for a second connection is under way, or has failed.
                    0 => SubchannelState::Connecting,
                    1 => refused.clone(),
                    _ => SubchannelState::Idle,
                },
                _ => continue,
            };
            if random.below(3) > 0 {
                changes.push((id, to));
            }
        }
        self.sim.change_states(changes);
    }

    /// The network is well again, and the policy must find its way to READY.
    fn recover(&mut self) {
        for place in plain().concat() {
            self.sim.heal(&name(place));
        }
        let mut recovery = Recovery::random(&mut self.random);
        if recovery.same_endpoints && self.endpoints > 0 {
            recovery.open = |_| true;
        } else {
            let verdict = self.resolve(&plain(), Some(0));
            assert_eq!(verdict, Ok(()), "the policy rejects good endpoints\n\nthe story so far:\n{}", self.sim.story());
        }
        for round in 1..=PATIENCE {
            self.sim.settle();
            if self.sim.state() == Connectivity::Ready {
                return;
            }
            let others = (round % TIMEOUT == 0).then(|| self.sim.failure("timed out"));
            let attempts = self.sim.subchannels().filter(|(_, _, state)| **state == SubchannelState::Connecting);
            let ended = attempts.filter_map(|(id, address, _)| {
                let open = (recovery.open)(&address.to_string());
                Some((id, if open { SubchannelState::Ready } else { others.clone()? }))
            });
            let ended: Vec<_> = ended.collect();
            self.sim.change_states(ended);
            if recovery.by_calls {
                self.call();
            } else {
                self.sim.exit_idle();
            }
            self.sim.advance(Duration::from_millis(500));
        }
        panic!("the network is well, and the policy is not READY\n\nthe story so far:\n{}", self.sim.story());
    }
}

/// How the network gets well.
struct Recovery {
    /// Without another word from the resolver.
    same_endpoints: bool,
    /// Calls ask for a connection, or else somebody who wants the channel to leave IDLE.
    by_calls: bool,
    /// Which addresses answer; attempts at the others time out.
    open: fn(&str) -> bool,
}

impl Recovery {
    fn random(random: &mut Random) -> Self {
        let mut coin = || random.below(2) == 0;
        let open = if coin() { |_: &str| true } else { |address: &str| address.ends_with(".1") };
        Self { same_endpoints: coin(), by_calls: coin(), open }
    }
}
