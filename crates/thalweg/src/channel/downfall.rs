//! What becomes of a channel whose policy panics: everything that the policy held goes, and the next resolution makes a
//! new one.

use thalweg_core::{
    lb::{Command, LbPolicy, graceful_switch::GracefulSwitch},
    status::Status,
};

use super::driver::Driver;
use crate::panics::{Panic, caught};

impl Driver {
    /// The policy tree has panicked, after these commands, which nobody has carried out. Calls fail with the story from
    /// now on; the resolver is asked again, after a backoff, so that it is not the end.
    pub(super) fn give_up(&mut self, commands: &[Command], panic: &Panic) {
        let policies = self.mint.interrupted().join(" > ");
        tracing::error!(%policies, %panic, "a load-balancing policy panicked");
        let story = Status::unavailable(format!("the load-balancing policy {policies} panicked: {panic}"));
        let fallen = self.root.replace(GracefulSwitch::default());
        let _ = caught(|| drop(fallen));
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
