//! What becomes of a channel whose policy panics: everything that the policy held goes, and the next resolution makes a
//! new one.

use std::sync::Arc;

use thalweg_core::{
    lb::{Command, LbPolicy, Picker, graceful_switch::GracefulSwitch},
    status::Status,
};

use super::driver::Driver;
use crate::panics::{Contained, Panic};

impl Driver {
    /// The policy tree has panicked, after these commands, which nobody has carried out.
    pub(super) fn on_policy_panicked(&mut self, commands: &[Command], panic: &Panic) {
        let mut policies = self.mint.interrupted();
        if policies.is_empty() {
            policies = self.roots_policy().map(Into::into).into_iter().collect();
        }
        let policies = policies.join(" > ");
        self.give_up(commands, format!("the load-balancing policy {policies} panicked: {panic}"));
    }

    /// A picker has panicked over a call. If calls would still find it, its policy is as good as broken; which one below
    /// the root it was made by nobody knows.
    pub(super) fn on_picker_panicked(&mut self, picker: &Arc<dyn Picker>, panic: &Panic) {
        if self.has_picker(picker) {
            let policy = self.roots_policy().unwrap_or_default().to_owned();
            self.give_up(&[], format!("the picker of the load-balancing policy {policy} panicked: {panic}"));
        }
    }

    /// The policy that the configuration has chosen, if it serves calls.
    fn roots_policy(&self) -> Option<&str> {
        self.root.as_ref().and_then(|root| root.current())
    }

    /// Calls fail with the story from now on; the resolver is asked again, after a backoff, so that it is not the end.
    fn give_up(&mut self, commands: &[Command], story: String) {
        tracing::error!("{story}");
        let story = Status::unavailable(story);
        self.root = Some(Contained::new(GracefulSwitch::default()));
        self.timers.clear_policies();
        self.inbox.clear();
        let created = commands.iter().filter_map(|command| match command {
            Command::Create { id, .. } => Some(*id),
            _ => None,
        });
        let held: Vec<_> = self.subchannels.ids().into_iter().chain(created).collect();
        self.policy(|root, cx| {
            held.into_iter().for_each(|id| cx.shutdown(id));
            root.on_resolver_error(cx, &story);
        });
        self.downfall = Some(story);
        self.retry_resolution();
    }
}
