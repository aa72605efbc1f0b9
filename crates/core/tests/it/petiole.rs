//! What a petiole policy of a user's own is told, and what it may ask for.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use thalweg_core::{
    endpoint::Endpoint,
    lb::{
        AnyConfig, CallEnd, CallObserver, Command, Cx, Event, Pick, PickArgs, Picker, Resolution, Timer,
        dense::Snapshot,
        petiole::{Petiole, Ready, Spread},
    },
    orca::LoadReport,
    status::Code,
};
use thalweg_sim::{Sim, conformance::Histories, place::endpoint};

/// An attribute: which endpoint is best.
struct Rank(usize);

/// Calls that an endpoint has had.
#[derive(Debug, Default)]
struct Count(AtomicUsize);

impl CallObserver for Count {
    fn end(&self, _: &CallEnd<'_>) {
        self.0.fetch_add(1, Relaxed);
    }
}

#[derive(Clone, Debug)]
struct Kept {
    rank: usize,
    calls: Arc<Count>,
}

/// Calls go to the READY endpoint of the highest rank, and of those to the one that has had the fewest calls, as of the
/// last look. It looks again whenever a backend reports its load, and every second.
#[derive(Debug, Default)]
struct Ranked {
    timer: Option<Timer>,
    period: Option<Period>,
}

#[derive(Clone, Copy, Debug)]
struct Period(Duration);

impl Ranked {
    fn arm(&mut self, cx: &mut Cx<'_>) {
        self.timer = self.period.map(|period| cx.arm(period.0));
    }
}

#[derive(Debug)]
struct Best(Ready<Kept>);

impl Picker for Best {
    fn pick(&self, args: &PickArgs<'_>) -> Pick {
        self.0.pick(args)
    }
}

impl Spread for Ranked {
    type Kept = Kept;

    fn configure(&mut self, cx: &mut Cx<'_>, update: &Resolution) {
        self.period = update.config_as::<Period>().copied().or(self.period);
        if self.timer.is_none() {
            self.arm(cx);
        }
    }

    fn admit(&mut self, _: &mut Cx<'_>, endpoint: &Endpoint) -> Kept {
        Kept { rank: rank_of(endpoint), calls: Arc::default() }
    }

    fn readmit(&mut self, endpoint: &Endpoint, kept: &Kept) -> Option<Kept> {
        let rank = rank_of(endpoint);
        (rank != kept.rank).then(|| Kept { rank, calls: Arc::clone(&kept.calls) })
    }

    fn see(&mut self, cx: &mut Cx<'_>, kept: &Kept, command: &Command) {
        if let Command::Create { id, .. } = command {
            cx.observe(*id, Arc::clone(&kept.calls) as _);
            cx.watch_load(*id, Duration::from_secs(7));
        }
    }

    fn on_event(&mut self, cx: &mut Cx<'_>, event: &Event) -> bool {
        match event {
            Event::Timer(timer) if self.timer == Some(*timer) => {
                self.arm(cx);
                true
            }
            Event::Load(..) => true,
            _ => false,
        }
    }

    fn picker(&mut self, _: &mut Cx<'_>, ready: Snapshot<Ready<Kept>>) -> Arc<dyn Picker> {
        let fewest = |ready: &&Ready<Kept>| (ready.kept.rank, usize::MAX - ready.kept.calls.0.load(Relaxed));
        Arc::new(Best(ready.iter().max_by_key(fewest).unwrap().clone()))
    }

    fn shutdown(&mut self, cx: &mut Cx<'_>) {
        self.timer.take().into_iter().for_each(|timer| cx.cancel(timer));
    }
}

fn rank_of(endpoint: &Endpoint) -> usize {
    endpoint.attributes().get::<Rank>().map_or(0, |rank| rank.0)
}

fn every_second() -> Arc<dyn AnyConfig> {
    Arc::new(Period(Duration::from_secs(1)))
}

fn resolve(sim: &mut Sim, ranked: &[(&str, usize)]) {
    let endpoints = ranked.iter().map(|(name, rank)| endpoint(&[name]).with(Rank(*rank))).collect();
    sim.resolve_to(Resolution { endpoints, config: Some(every_second()) }).unwrap();
}

/// READY on all of them.
fn serving(ranked: &[(&str, usize)]) -> Sim {
    let mut sim = Sim::new(Petiole::<Ranked>::default()).uses_what_is_ready();
    resolve(&mut sim, ranked);
    ranked.iter().for_each(|(name, _)| sim.accept(name));
    sim
}

fn call(sim: &mut Sim) {
    sim.start_call().unwrap().end(Code::Ok, Duration::ZERO);
}

#[test]
fn the_picker_has_what_is_kept_of_each_endpoint() {
    let mut sim = serving(&[("a", 1), ("b", 3), ("c", 2)]);
    assert_eq!(sim.served_by().as_deref(), Some("b"));
    sim.close("b");
    assert_eq!(sim.served_by().as_deref(), Some("c"));
    sim.finish();
}

#[test]
fn attributes_that_change_are_in_the_next_picker() {
    let mut sim = serving(&[("a", 1), ("b", 3)]);
    resolve(&mut sim, &[("a", 4), ("b", 3)]);
    assert_eq!(sim.served_by().as_deref(), Some("a"));
    sim.finish();
}

#[test]
fn a_spread_observes_the_calls_of_each_endpoint_and_its_own_timer_renews_the_picker() {
    let mut sim = serving(&[("a", 1), ("b", 1)]);
    let first = sim.served_by();
    call(&mut sim);
    assert_eq!(sim.served_by(), first);
    sim.advance(Duration::from_secs(1));
    assert_ne!(sim.served_by(), first);
    sim.finish();
}

#[test]
fn what_is_kept_outlives_a_connection_but_not_the_listing() {
    let mut sim = serving(&[("a", 1), ("b", 0)]);
    call(&mut sim);
    sim.close("a");
    sim.accept("a");
    resolve(&mut sim, &[("a", 1), ("b", 1)]);
    assert_eq!(sim.served_by().as_deref(), Some("b"), "a has had a call");
    resolve(&mut sim, &[("b", 1)]);
    call(&mut sim);
    resolve(&mut sim, &[("b", 1), ("a", 1)]);
    sim.accept("a");
    assert_eq!(sim.served_by().as_deref(), Some("a"), "a is new");
    sim.finish();
}

#[test]
fn a_spread_hears_of_the_load_of_its_endpoints() {
    let mut sim = serving(&[("a", 1), ("b", 1)]);
    let first = sim.served_by().unwrap();
    call(&mut sim);
    assert_eq!(sim.load_interval("a"), Some(Duration::from_secs(7)));
    assert_eq!(sim.report_load("a", &LoadReport::default()), 1);
    assert_ne!(sim.served_by(), Some(first));
    sim.finish();
}

#[test]
fn it_keeps_the_contract() {
    let slow = Arc::new(Period(Duration::from_secs(60))) as Arc<dyn AnyConfig>;
    let histories = Histories::new(2_000).configs([slow]);
    histories.check(|seed| Sim::seeded(seed, Petiole::<Ranked>::default()).uses_what_is_ready());
}
