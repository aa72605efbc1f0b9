//! A transparent parent that checks how its own parent treats it.

use std::{sync::Arc, time::Duration};

use thalweg_core::{
    lb::{
        Command, Cx, Event, LbPolicy, Picker, Rejected, Resolution, Watch,
        child::{ChildSet, Key, Report, Tap},
    },
    status::Status,
};

/// Sees which subchannels its child makes, and watches the load of each.
#[derive(Debug)]
struct LoadWatch {
    every: Duration,
    mine: Vec<Watch>,
    heard: usize,
}

impl Tap for LoadWatch {
    fn see(&mut self, cx: &mut Cx<'_>, _: Key, command: &Command) {
        match command {
            Command::Create { id, .. } => self.mine.push(cx.watch_load(*id, self.every)),
            Command::Shutdown(id) => self.mine.retain(|watch| watch.of() != *id),
            _ => {}
        }
    }
}

/// Wraps a policy, behaves as that policy does, and checks the parent that hosts it.
///
/// It panics if its parent asks for a picker without a report since the last one, hands it an event that is none of
/// its own, or calls it after its shutdown. It also watches the load of every subchannel below it, as an ancestor may,
/// so that a parent is tested with commands that are not its child's.
#[derive(Debug)]
pub struct Probe {
    children: ChildSet<LoadWatch>,
    child: Key,
    reported: bool,
    over: bool,
}

impl Probe {
    /// Wraps `policy`, watching loads at this interval.
    #[must_use]
    pub fn new(policy: Box<dyn LbPolicy>, every: Duration) -> Self {
        let mut children = ChildSet::tapped(LoadWatch { every, mine: vec![], heard: 0 });
        let child = children.insert(policy);
        Self { children, child, reported: false, over: false }
    }

    /// How many load reports it has heard.
    #[must_use]
    pub fn heard(&self) -> usize {
        self.children.tap().heard
    }

    fn pass_up(&mut self, cx: &mut Cx<'_>, report: Option<Report>) {
        if let Some(report) = report {
            self.reported = true;
            cx.report(report.to);
        }
    }

    fn call(&mut self, cx: &mut Cx<'_>, call: impl FnOnce(&mut dyn LbPolicy, &mut Cx<'_>)) {
        assert!(!self.over, "a policy is called after its shutdown");
        let report = self.children.call(cx, self.child, call);
        self.pass_up(cx, report);
    }
}

impl LbPolicy for Probe {
    fn on_resolution(&mut self, cx: &mut Cx<'_>, update: &Resolution) -> Result<(), Rejected> {
        let mut verdict = Ok(());
        self.call(cx, |child, cx| verdict = child.on_resolution(cx, update));
        verdict
    }

    fn on_resolver_error(&mut self, cx: &mut Cx<'_>, error: &Status) {
        self.call(cx, |child, cx| child.on_resolver_error(cx, error));
    }

    fn on_event(&mut self, cx: &mut Cx<'_>, event: &Event) {
        assert!(!self.over, "a policy is called after its shutdown");
        match event {
            Event::Load(watch, _) if self.children.tap().mine.contains(watch) => self.children.tap_mut().heard += 1,
            _ => {
                let owned = self.children.owner(event.token()).is_some();
                assert!(owned, "a policy is told of {event:?}, which is none of its own");
                let report = self.children.route(cx, event);
                self.pass_up(cx, report);
            }
        }
    }

    fn picker(&mut self, cx: &mut Cx<'_>) -> Arc<dyn Picker> {
        assert!(std::mem::take(&mut self.reported), "a policy is asked for a picker without a report");
        self.children.take_stale();
        self.children.picker(cx, self.child).expect("the only child stays until the shutdown")
    }

    fn exit_idle(&mut self, cx: &mut Cx<'_>) {
        self.call(cx, |child, cx| child.exit_idle(cx));
    }

    fn shutdown(&mut self, cx: &mut Cx<'_>) {
        assert!(!self.over, "a policy is shut down twice");
        self.over = true;
        self.children.clear(cx);
    }
}
