//! The load-balancing contract (A24, A61): events in, commands out.
//!
//! A policy is a state machine. It hears events through [`LbPolicy`], acts through [`Cx`], and answers with a
//! [`Picker`], an immutable value that every call reads without a lock. What comes back to a policy is addressed by a
//! *token* that the policy was given when it asked ([`SubchannelId`], [`Timer`], [`Wake`], [`Watch`]), so one rule
//! routes every event through any tree of policies. Policies own no task, timer, lock or socket.

mod builtin;

pub mod outlier_detection;
pub mod priority;
pub mod random_subsetting;
pub mod weighted_target;

pub mod graceful_switch;
pub mod least_request;
pub mod peak_ewma;
pub mod random;
pub mod ring_hash;
pub mod round_robin;

pub mod petiole;

pub mod all_failed;
pub mod pick_first;

pub mod child;
pub mod dense;
pub mod hierarchy;
pub mod registry;

pub mod cx;

pub mod event;
pub mod picker;

pub mod failure;
pub mod token;

use std::{fmt::Debug, sync::Arc};

use crate::{orca::LoadReport, status::Status};

pub use self::{
    cx::{Command, Cx, Mint},
    event::{AnyConfig, Event, Health, Rejected, Resolution, SubchannelState},
    failure::{BackendFailure, Failure},
    picker::{CallEnd, CallObserver, Fixed, Pick, PickArgs, Picker, Tracker},
    token::{SubchannelId, Timer, Token, Wake, Watch},
};

/// A load-balancing policy: events in, commands (through `cx`) out. It never blocks, spawns, locks or reads a clock.
///
/// A leaf overrides the named methods; a parent hosts its children in a [`child::ChildSet`], overrides `on_event` and
/// routes by token.
pub trait LbPolicy: Send + Debug {
    /// The resolver (or the parent policy) has new endpoints or a new configuration.
    ///
    /// # Errors
    ///
    /// [`Rejected`] if the update is of no use, so that the resolver tries again after its backoff. The policy has
    /// already reported what it made of the update.
    fn on_resolution(&mut self, cx: &mut Cx<'_>, update: &Resolution) -> Result<(), Rejected>;

    /// The resolver failed. A policy that has endpoints keeps using them; one that has none fails calls with `error`.
    fn on_resolver_error(&mut self, cx: &mut Cx<'_>, error: &Status);

    /// The snapshot for the last reported state. Asked for at most once per batch of events, only after a
    /// [`Cx::report`]; it must not report.
    fn picker(&mut self, cx: &mut Cx<'_>) -> Arc<dyn Picker>;

    /// Somebody wants a connection: leave IDLE, if idle.
    fn exit_idle(&mut self, cx: &mut Cx<'_>);

    /// Gives every token back. Nothing is called afterwards.
    fn shutdown(&mut self, cx: &mut Cx<'_>);

    /// Something that this policy (or a descendant) holds a token for has happened.
    fn on_event(&mut self, cx: &mut Cx<'_>, event: &Event) {
        match event {
            Event::Subchannel(id, state) => self.on_subchannel(cx, *id, state),
            Event::Health(watch, health) => self.on_health(cx, *watch, health),
            Event::Load(watch, report) => self.on_load_report(cx, *watch, report),
            Event::Timer(timer) => self.on_timer(cx, *timer),
            Event::Wake(wake) => self.on_wake(cx, *wake),
        }
    }

    /// A subchannel of this policy changed state.
    fn on_subchannel(&mut self, _: &mut Cx<'_>, _: SubchannelId, _: &SubchannelState) {}

    /// A watched subchannel reports its health.
    fn on_health(&mut self, _: &mut Cx<'_>, _: Watch, _: &Health) {}

    /// A watched subchannel reports its load (A51, out of band).
    fn on_load_report(&mut self, _: &mut Cx<'_>, _: Watch, _: &LoadReport) {}

    /// An armed timer fired; it is dead now.
    fn on_timer(&mut self, _: &mut Cx<'_>, _: Timer) {}

    /// A picker handed out this wake: a call is waiting for this policy.
    fn on_wake(&mut self, _: &mut Cx<'_>, _: Wake) {}
}
