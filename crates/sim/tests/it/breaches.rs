//! One bad policy per breach.

use std::{sync::Arc, time::Duration};

use thalweg_core::{
    connectivity::Connectivity,
    endpoint::{Address, Endpoint},
    lb::{
        Cx, Failure, Fixed, LbPolicy, Pick, Picker, Rejected, Resolution, SubchannelId, SubchannelState, Timer, Wake,
    },
    status::Status,
};
use thalweg_sim::{Probe, Sim, conformance::Histories};

/// What a bad policy does wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wrong {
    ConnectsTwice,
    ShutsDownTwice,
    ConnectsAForeignAddress,
    PicksTooEarly,
    QueuesWhileReady,
    FailsWhileConnecting,
    OffersADeadWake,
    CancelsAFiredTimer,
    RearmsForever,
    CommandsForever,
    ReportsFromPicker,
    LeaksATimer,
    IgnoresReady,
}

/// Connects to the first address, badly.
#[derive(Debug)]
struct Bad {
    wrong: Wrong,
    id: Option<SubchannelId>,
    timer: Option<Timer>,
    wake: Option<Wake>,
    state: Connectivity,
}

fn bad(wrong: Wrong) -> Sim {
    let policy = Bad { wrong, id: None, timer: None, wake: None, state: Connectivity::Connecting };
    Sim::new(policy).uses_what_is_ready()
}

impl LbPolicy for Bad {
    fn on_resolution(&mut self, cx: &mut Cx<'_>, update: &Resolution) -> Result<(), Rejected> {
        let endpoint = &update.endpoints[0];
        let address = match self.wrong {
            Wrong::ConnectsAForeignAddress => Address::Opaque("elsewhere".into()),
            _ => endpoint.addresses()[0].clone(),
        };
        let id = cx.create(endpoint, &address);
        cx.connect(id);
        self.id = Some(id);
        match self.wrong {
            Wrong::ConnectsTwice => cx.connect(id),
            Wrong::ShutsDownTwice => [id, id].into_iter().for_each(|id| cx.shutdown(id)),
            Wrong::LeaksATimer | Wrong::RearmsForever | Wrong::CancelsAFiredTimer => {
                self.timer = Some(cx.arm(Duration::from_secs(1)));
            }
            Wrong::CommandsForever => (0..1_000).for_each(|_| cx.resolve()),
            Wrong::OffersADeadWake => {
                let wake = cx.offer();
                cx.withdraw(wake);
                self.wake = Some(wake);
            }
            _ => {}
        }
        cx.report(Connectivity::Connecting);
        Ok(())
    }
    fn on_resolver_error(&mut self, _: &mut Cx<'_>, _: &Status) {}
    fn on_subchannel(&mut self, cx: &mut Cx<'_>, _: SubchannelId, state: &SubchannelState) {
        if *state == SubchannelState::Ready && self.wrong != Wrong::IgnoresReady {
            self.state = Connectivity::Ready;
            cx.report(self.state);
        }
    }
    fn on_timer(&mut self, cx: &mut Cx<'_>, timer: Timer) {
        match self.wrong {
            Wrong::RearmsForever => self.timer = Some(cx.arm(Duration::from_millis(10))),
            _ => cx.cancel(timer),
        }
    }
    fn picker(&mut self, cx: &mut Cx<'_>) -> Arc<dyn Picker> {
        if self.wrong == Wrong::ReportsFromPicker {
            cx.report(self.state);
        }
        let pick = match (self.wrong, self.state, self.id) {
            (Wrong::PicksTooEarly, _, Some(id)) => Pick::Use(id),
            (Wrong::FailsWhileConnecting, Connectivity::Connecting, _) => Pick::Fail(Failure::of([])),
            (Wrong::QueuesWhileReady, ..) => Pick::Queue,
            (_, Connectivity::Ready, Some(id)) => Pick::Use(id),
            _ => Pick::Queue,
        };
        Arc::new(Fixed { pick, wake: self.wake })
    }
    fn exit_idle(&mut self, _: &mut Cx<'_>) {}
    fn shutdown(&mut self, cx: &mut Cx<'_>) {
        self.id.into_iter().for_each(|id| cx.shutdown(id));
    }
}

/// Resolved, connected, left alone for ten minutes and shut down.
fn live(mut sim: Sim) {
    sim.resolve(&[&["a"]]).unwrap();
    sim.accept("a");
    sim.quiet();
    sim.finish();
}

#[test]
#[should_panic(expected = "which is not idle but Some(Connecting)")]
fn an_attempt_on_a_subchannel_that_is_not_idle_is_a_breach() {
    live(bad(Wrong::ConnectsTwice));
}

#[test]
#[should_panic(expected = "which is gone")]
fn a_second_shutdown_is_a_breach() {
    live(bad(Wrong::ShutsDownTwice));
}

#[test]
#[should_panic(expected = "elsewhere is not an address of its endpoint")]
fn an_address_that_is_not_its_endpoints_is_a_breach() {
    live(bad(Wrong::ConnectsAForeignAddress));
}

#[test]
#[should_panic(expected = "although the policy is CONNECTING")]
fn a_pick_that_uses_a_subchannel_before_it_is_ready_is_a_breach() {
    live(bad(Wrong::PicksTooEarly));
}

#[test]
#[should_panic(expected = "a pick queues although the policy is READY")]
fn a_pick_that_queues_while_ready_is_a_breach() {
    live(bad(Wrong::QueuesWhileReady));
}

#[test]
fn a_lazy_policy_may_queue_while_ready() {
    live(bad(Wrong::QueuesWhileReady).lazy());
}

#[test]
#[should_panic(expected = "a pick fails with Backends { named: [], more: 0 } although the policy is CONNECTING")]
fn a_pick_that_fails_while_connecting_is_a_breach() {
    live(bad(Wrong::FailsWhileConnecting));
}

#[test]
#[should_panic(expected = "a picker hands out Wake(1), which is not offered")]
fn a_wake_that_is_not_offered_is_a_breach() {
    live(bad(Wrong::OffersADeadWake));
}

#[test]
#[should_panic(expected = "the policy cancels Timer(1), which is not armed")]
fn a_cancelled_timer_that_has_fired_is_a_breach() {
    live(bad(Wrong::CancelsAFiredTimer));
}

#[test]
#[should_panic(expected = "timers in ten quiet minutes")]
fn a_timer_that_never_rests_is_a_breach() {
    live(bad(Wrong::RearmsForever));
}

#[test]
#[should_panic(expected = "commands in one batch")]
fn a_flood_of_commands_is_a_breach() {
    live(bad(Wrong::CommandsForever));
}

#[test]
#[should_panic(expected = "the policy reported while it was asked for its picker")]
fn a_report_out_of_turn_is_a_breach() {
    live(bad(Wrong::ReportsFromPicker));
}

#[test]
#[should_panic(expected = "the policy kept 1 timers past its shutdown")]
fn a_token_kept_past_the_shutdown_is_a_breach() {
    let mut sim = bad(Wrong::LeaksATimer);
    sim.resolve(&[&["a"]]).unwrap();
    sim.finish();
}

#[test]
#[should_panic(expected = "a could serve calls, and the policy is CONNECTING")]
fn a_ready_subchannel_that_is_not_used_is_a_breach() {
    live(bad(Wrong::IgnoresReady));
}

#[test]
#[should_panic(expected = "it does not hold that pigs fly")]
fn an_invariant_of_ones_own_can_be_breached_too() {
    live(bad(Wrong::QueuesWhileReady).lazy().invariant("pigs fly", |sim| sim.state() != Connectivity::Ready));
}

#[test]
#[should_panic(expected = "a policy is asked for a picker without a report")]
fn a_probe_objects_to_a_picker_that_nobody_asked_for() {
    let mut probe = Probe::new(Box::new(thalweg_core::lb::pick_first::leaf()), Duration::from_secs(1));
    let (mut mint, mut out) = (thalweg_core::lb::Mint::new(0), vec![]);
    probe.picker(&mut Cx::new(std::time::Instant::now(), &mut mint, &mut out));
}

/// Breaks at the third resolution.
#[derive(Debug, Default)]
struct Tired(usize);

impl LbPolicy for Tired {
    fn on_resolution(&mut self, _: &mut Cx<'_>, _: &Resolution) -> Result<(), Rejected> {
        self.0 += 1;
        assert!(self.0 < 3, "too tired");
        Ok(())
    }
    fn on_resolver_error(&mut self, _: &mut Cx<'_>, _: &Status) {}
    fn picker(&mut self, _: &mut Cx<'_>) -> Arc<dyn Picker> {
        Arc::new(Fixed::new(Pick::Queue))
    }
    fn exit_idle(&mut self, _: &mut Cx<'_>) {}
    fn shutdown(&mut self, _: &mut Cx<'_>) {}
}

#[test]
fn a_history_that_breaks_the_contract_is_told_in_its_shortest_form() {
    let found = std::panic::catch_unwind(|| {
        Histories::new(100).steps(100).check(|seed| Sim::seeded(seed, Tired::default()));
    });
    let message = *found.unwrap_err().downcast::<String>().unwrap();
    // The last resolution may be the one with which the network gets well.
    let shortest = message.contains("in 2 steps: [Resolve") || message.contains("in 3 steps: [Resolve");
    assert!(shortest && message.contains("\n\ntoo tired"), "{message}");
    assert!(!message.contains("Advance"), "{message}");
}

#[test]
fn an_endpoint_can_be_named_by_what_its_addresses_say() {
    let endpoint: Endpoint = thalweg_sim::place::endpoint(&["127.0.0.1:80", "somewhere"]);
    assert!(matches!(endpoint.addresses()[..], [Address::Tcp(_), Address::Opaque(_)]));
}
