//! What uses an allowance up, and what gives it back.

use super::*;
use crate::error::Code;

fn budget() -> Budget {
    let limits = Limits {
        early_resets: 2,
        resets: 3,
        stream_errors: 2,
        continuations: 2,
        settings: 2,
        idle_frames: 3,
        tiny_data: 3,
        window_updates: 4,
        ..Limits::default()
    };
    Budget::new(limits)
}

/// How often something may happen until it is too much.
fn times(mut spend: impl FnMut() -> Result<(), Violation>) -> usize {
    (0..100).take_while(|_| spend().is_ok()).count()
}

#[test]
fn each_allowance_ends_with_a_call_for_calm_that_names_it() {
    type Spend = fn(&mut Budget) -> Result<(), Violation>;
    let kinds: [(Spend, usize, Rule, &str); 7] = [
        (|budget| budget.reset(true), 2, Rule::EarlyResets, "more than 2 streams reset as soon as opened"),
        (|budget| budget.reset(false), 3, Rule::Resets, "more than 3 streams reset"),
        (Budget::stream_error, 2, Rule::StreamErrors, "more than 2 errors of streams"),
        (Budget::settings, 2, Rule::Settings, "more than 2 SETTINGS frames"),
        (Budget::idle_frame, 3, Rule::IdleFrames, "more than 3 PING, PRIORITY, unknown or empty frames"),
        (Budget::tiny_data, 3, Rule::TinyData, "more than 3 DATA frames of a few bytes that end no message"),
        (Budget::window_update, 4, Rule::WindowUpdates, "more than 4 WINDOW_UPDATE frames"),
    ];
    for (spend, allowed, rule, text) in kinds {
        let mut budget = budget();
        assert_eq!(times(|| spend(&mut budget)), allowed);
        assert_eq!(spend(&mut budget), Err(Violation { code: Code::ENHANCE_YOUR_CALM, rule, text: text.into() }));
    }
}

#[test]
fn useful_frames_give_idle_ones_back_up_to_the_limit() {
    let mut budget = budget();
    assert_eq!(times(|| budget.idle_frame()), 3);
    budget.useful_frame();
    budget.useful_frame();
    assert_eq!(times(|| budget.idle_frame()), 2);
    (0..50).for_each(|_| budget.useful_frame());
    assert_eq!(times(|| budget.idle_frame()), 3);
}

#[test]
fn a_stream_that_ends_well_gives_a_reset_back_and_so_does_time() {
    let mut budget = budget();
    assert_eq!((times(|| budget.reset(true)), times(|| budget.reset(false))), (2, 3));
    budget.stream_ended_well();
    assert_eq!((times(|| budget.reset(true)), times(|| budget.reset(false))), (1, 1));
    budget.tick(2);
    assert_eq!((times(|| budget.reset(true)), times(|| budget.reset(false))), (2, 2));
}

#[test]
fn a_tenth_of_a_second_gives_back_a_settings_frame_and_an_error() {
    let mut budget = budget();
    assert_eq!((times(|| budget.settings()), times(|| budget.stream_error())), (2, 2));
    budget.tick(99);
    assert_eq!((times(|| budget.settings()), times(|| budget.stream_error())), (0, 0));
    budget.tick(100);
    assert_eq!((times(|| budget.settings()), times(|| budget.stream_error())), (1, 1));
    budget.tick(10_000);
    assert_eq!((times(|| budget.settings()), times(|| budget.stream_error())), (2, 2));
}

#[test]
fn what_is_under_way_when_we_give_a_stream_up_costs_nothing() {
    let mut budget = budget();
    (0..10).for_each(|_| budget.gave_up());
    assert_eq!(times(|| budget.late_frame()), 30 + 3);
    budget.gave_up();
    assert_eq!((times(|| budget.idle_frame()), times(|| budget.late_frame())), (0, 3));
}

#[test]
fn data_that_we_send_earns_the_peer_window_updates() {
    let mut budget = budget();
    assert_eq!(times(|| budget.window_update()), 4);
    budget.data_frames_sent(1);
    assert_eq!(times(|| budget.window_update()), 4);
    budget.tick(3);
    assert_eq!(times(|| budget.window_update()), 3);
}

#[test]
fn continuations_are_counted_per_header_block() {
    let budget = budget();
    assert!(budget.continuation(0).is_ok() && budget.continuation(1).is_ok());
    let text = "more than 2 CONTINUATION frames of one header block";
    assert_eq!(budget.continuation(2), Err(Violation::excess(Rule::Continuations, text)));
}

#[test]
fn messages_and_credit_give_tiny_frames_back_and_so_does_time() {
    let mut budget = budget();
    assert_eq!(times(|| budget.tiny_data()), 3);
    budget.got_on(2);
    assert_eq!(times(|| budget.tiny_data()), 2);
    budget.tick(1);
    assert_eq!(times(|| budget.tiny_data()), 1);
    budget.got_on(50);
    assert_eq!(times(|| budget.tiny_data()), 3);
}

#[test]
fn a_clock_that_goes_back_harms_nobody() {
    let mut budget = budget();
    budget.tick(1_000);
    assert!(budget.idle_frame().is_ok());
    budget.tick(10);
    assert!(budget.idle_frame().is_ok());
}
