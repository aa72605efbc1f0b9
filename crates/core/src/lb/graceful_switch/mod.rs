//! Changes the policy without a gap: the old one serves until the new one can (gRFC A24; graceful switch as in the other
//! gRPC implementations).

use std::sync::Arc;

use super::{
    LbPolicy,
    child::{ChildSet, Key},
    cx::Cx,
    event::{Event, Rejected, Resolution},
    failure::Failure,
    picker::{Fixed, Pick, Picker},
    registry::PolicyChoice,
};
use crate::{
    connectivity::Connectivity,
    status::{Code, Status},
};

/// A policy that it hosts.
#[derive(Debug)]
struct Hosted {
    key: Key,
    name: String,
    /// The latest one it gave.
    picker: Arc<dyn Picker>,
}

/// Hosts the policy that the configuration chooses; its own configuration is a [`PolicyChoice`].
///
/// While the name stays, the policy only gets the new configuration. When it changes, a policy of the new name is
/// *pending* beside the *current* one, and takes its place as soon as it is anything but CONNECTING, or the current one
/// is anything but READY. This is what a channel hosts as the root.
#[derive(Debug, Default)]
pub struct GracefulSwitch {
    children: ChildSet,
    current: Option<Hosted>,
    pending: Option<Hosted>,
    /// Why there is no policy, while there is none.
    nobody: Option<Status>,
}

impl GracefulSwitch {
    /// The name of the policy that serves calls, if there is one.
    #[must_use]
    pub fn current(&self) -> Option<&str> {
        self.current.as_ref().map(|hosted| hosted.name.as_str())
    }

    /// The name of the policy that waits to take over, if there is one.
    #[must_use]
    pub fn pending(&self) -> Option<&str> {
        self.pending.as_ref().map(|hosted| hosted.name.as_str())
    }

    /// The policy of the latest configuration.
    fn latest(&self) -> Option<&Hosted> {
        self.pending.as_ref().or(self.current.as_ref())
    }

    /// Makes sure that the latest policy is the chosen one.
    fn choose(&mut self, cx: &mut Cx<'_>, choice: &PolicyChoice) {
        let name = choice.factory.name();
        if self.latest().is_some_and(|latest| latest.name == name) {
            return;
        }
        cx.enter(name.into());
        let policy = choice.factory.build();
        cx.leave();
        let key = self.children.insert_named(name, policy);
        let hosted = Hosted { key, name: name.to_owned(), picker: Arc::new(Fixed::new(Pick::Queue)) };
        if self.current.is_none() {
            self.current = Some(hosted);
        } else if let Some(outdated) = self.pending.replace(hosted) {
            self.children.remove(cx, outdated.key);
        }
    }

    /// Calls the latest policy, lets the pending one take over if it is time, and reports what calls would notice.
    fn call_latest(&mut self, cx: &mut Cx<'_>, call: impl FnOnce(&mut dyn LbPolicy, &mut Cx<'_>)) {
        let Some(key) = self.latest().map(|latest| latest.key) else { return };
        let reported = self.children.call(cx, key, call).map(|report| report.child);
        self.settle(cx, reported);
    }

    fn settle(&mut self, cx: &mut Cx<'_>, reported: Option<Key>) {
        let switched = self.switch_if_due(cx);
        if switched || reported.is_some_and(|key| self.current.as_ref().is_some_and(|current| current.key == key)) {
            self.report(cx);
        }
    }

    fn report(&self, cx: &mut Cx<'_>) {
        if let Some(state) = self.current.as_ref().and_then(|current| self.children.state(current.key)) {
            cx.report(state);
        }
    }

    fn switch_if_due(&mut self, cx: &mut Cx<'_>) -> bool {
        let state = |hosted: &Option<Hosted>| hosted.as_ref().and_then(|hosted| self.children.state(hosted.key));
        let waits =
            state(&self.current) == Some(Connectivity::Ready) && state(&self.pending) == Some(Connectivity::Connecting);
        if self.pending.is_none() || waits {
            return false;
        }
        if let Some(old) = std::mem::replace(&mut self.current, self.pending.take()) {
            self.children.remove(cx, old.key);
        }
        true
    }

    fn fail(&mut self, cx: &mut Cx<'_>, status: Status) {
        self.nobody = Some(status);
        cx.report(Connectivity::TransientFailure);
    }
}

impl LbPolicy for GracefulSwitch {
    fn on_resolution(&mut self, cx: &mut Cx<'_>, update: &Resolution) -> Result<(), Rejected> {
        let choice = update.config_as::<PolicyChoice>();
        let first = self.current.is_none();
        if let Some(choice) = choice {
            self.choose(cx, choice);
            self.nobody = None;
        } else if first {
            self.fail(cx, Status::new(Code::Internal, "no load-balancing policy was chosen"));
            return Err(Rejected);
        }
        let config = choice.map(|choice| Arc::clone(&choice.config));
        let update = Resolution { endpoints: Arc::clone(&update.endpoints), config };
        let mut result = Ok(());
        self.call_latest(cx, |policy, cx| result = policy.on_resolution(cx, &update));
        if first {
            self.report(cx);
        }
        result
    }

    fn on_resolver_error(&mut self, cx: &mut Cx<'_>, error: &Status) {
        if self.current.is_none() {
            return self.fail(cx, error.clone());
        }
        self.call_latest(cx, |policy, cx| policy.on_resolver_error(cx, error));
    }

    fn on_event(&mut self, cx: &mut Cx<'_>, event: &Event) {
        let reported = self.children.route(cx, event).map(|report| report.child);
        if reported.is_some() {
            self.settle(cx, reported);
        }
    }

    fn exit_idle(&mut self, cx: &mut Cx<'_>) {
        self.call_latest(cx, |policy, cx| policy.exit_idle(cx));
    }

    fn picker(&mut self, cx: &mut Cx<'_>) -> Arc<dyn Picker> {
        let stale = self.children.take_stale();
        for hosted in [&mut self.current, &mut self.pending].into_iter().flatten() {
            if stale.contains(&hosted.key)
                && let Some(picker) = self.children.picker(cx, hosted.key)
            {
                hosted.picker = picker;
            }
        }
        match (&self.nobody, &self.current) {
            (None, Some(current)) => Arc::clone(&current.picker),
            (Some(status), _) => Arc::new(Fixed::new(Pick::Fail(Failure::Status(status.clone())))),
            (None, None) => Arc::new(Fixed::new(Pick::Queue)),
        }
    }

    fn shutdown(&mut self, cx: &mut Cx<'_>) {
        self.children.clear(cx);
    }
}
