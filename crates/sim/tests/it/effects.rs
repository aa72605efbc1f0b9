//! What a policy asks for, happens: loads, observers, wakes, late events.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use thalweg_core::{
    lb::{
        CallEnd, CallObserver, Command, Cx, Event, LbPolicy, Picker, Rejected, Resolution, SubchannelState,
        child::{ChildSet, Key, Report, Tap},
        round_robin::RoundRobin,
    },
    orca::LoadReport,
    status::{Code, Status},
};
use thalweg_sim::Sim;

#[derive(Debug, Default)]
struct Count {
    started: AtomicUsize,
    ended: Mutex<Vec<(Code, Duration)>>,
}

impl CallObserver for Count {
    fn start(&self) {
        self.started.fetch_add(1, Relaxed);
    }
    fn end(&self, end: &CallEnd<'_>) {
        self.ended.lock().unwrap().push((end.code, end.latency));
    }
}

/// Observes the calls, and watches the load, of every subchannel of its child.
#[derive(Debug)]
struct Watcher(Arc<Count>);

impl Tap for Watcher {
    fn see(&mut self, cx: &mut Cx<'_>, _: Key, command: &Command) {
        if let Command::Create { id, .. } = command {
            cx.observe(*id, self.0.clone());
            cx.watch_load(*id, Duration::from_secs(2));
        }
    }
}

/// `round_robin` under a watcher.
#[derive(Debug)]
struct Watched {
    children: ChildSet<Watcher>,
    child: Key,
    loads: Arc<AtomicUsize>,
}

impl Watched {
    fn pass_up(cx: &mut Cx<'_>, report: Option<Report>) {
        if let Some(report) = report {
            cx.report(report.to);
        }
    }
}

impl LbPolicy for Watched {
    fn on_resolution(&mut self, cx: &mut Cx<'_>, update: &Resolution) -> Result<(), Rejected> {
        let report = self.children.call(cx, self.child, |child, cx| child.on_resolution(cx, update).unwrap());
        Self::pass_up(cx, report);
        Ok(())
    }
    fn on_resolver_error(&mut self, _: &mut Cx<'_>, _: &Status) {}
    fn on_event(&mut self, cx: &mut Cx<'_>, event: &Event) {
        if let Event::Load(..) = event {
            self.loads.fetch_add(1, Relaxed);
        }
        let report = self.children.route(cx, event);
        Self::pass_up(cx, report);
    }
    fn picker(&mut self, cx: &mut Cx<'_>) -> Arc<dyn Picker> {
        self.children.take_stale();
        self.children.picker(cx, self.child).unwrap()
    }
    fn exit_idle(&mut self, _: &mut Cx<'_>) {}
    fn shutdown(&mut self, cx: &mut Cx<'_>) {
        self.children.clear(cx);
    }
}

fn watched() -> (Sim, Arc<Count>, Arc<AtomicUsize>) {
    let (count, loads) = (Arc::<Count>::default(), Arc::<AtomicUsize>::default());
    let mut children = ChildSet::tapped(Watcher(count.clone()));
    let child = children.insert(Box::new(RoundRobin::default()));
    let mut sim = Sim::new(Watched { children, child, loads: loads.clone() });
    sim.resolve(&[&["a"]]).unwrap();
    (sim, count, loads)
}

#[test]
fn observers_see_every_call_and_calls_outlive_the_simulation() {
    let (mut sim, count, _) = watched();
    assert!(sim.start_call().is_err(), "no connection yet");
    sim.accept("a");
    let (first, second) = (sim.start_call().unwrap(), sim.start_call().unwrap());
    first.end(Code::Ok, Duration::from_millis(2));
    sim.finish();
    second.end(Code::Unavailable, Duration::from_millis(7));
    assert_eq!(count.started.load(Relaxed), 2);
    let ended = [(Code::Ok, Duration::from_millis(2)), (Code::Unavailable, Duration::from_millis(7))];
    assert_eq!(*count.ended.lock().unwrap(), ended);
}

#[test]
fn a_load_report_goes_to_whoever_watches_at_the_shortest_interval() {
    let (mut sim, _, loads) = watched();
    assert_eq!(sim.load_interval("a"), Some(Duration::from_secs(2)));
    assert_eq!(sim.load_interval("b"), None);
    assert_eq!(sim.report_load("a", &LoadReport::default()), 1);
    assert_eq!(loads.load(Relaxed), 1);
}

#[test]
fn the_story_names_addresses_times_and_states() {
    let (mut sim, ..) = watched();
    sim.advance(Duration::from_millis(40));
    sim.refuse("a");
    let story = sim.story();
    for line in ["       0 ms      connect a", "      40 ms  a fails: connection refused", "TRANSIENT_FAILURE"] {
        assert!(story.contains(line), "{story}");
    }
}

#[test]
fn late_events_name_tokens_that_are_dead() {
    let (mut sim, ..) = watched();
    sim.accept("a");
    let (id, ..) = sim.subchannels().next().unwrap();
    sim.resolve(&[&["b"]]).unwrap();
    assert!(sim.address(id).is_none());
    for _ in 0..4 {
        sim.late_event();
    }
    assert!(sim.story().contains("a is IDLE"), "{}", sim.story());
    assert!(sim.subchannels().all(|(_, _, state)| *state == SubchannelState::Connecting));
    sim.finish();
}
