//! Keepalive decisions, moment by moment.

use super::*;

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn state(while_idle: bool, start: Instant) -> KeepaliveState {
    KeepaliveState::new(Keepalive { time: Some(seconds(30)), timeout: seconds(20), while_idle }, start)
}

#[test]
fn a_silent_connection_with_calls_is_pinged_and_closed_when_nothing_answers() {
    let start = Instant::now();
    let mut k = state(false, start);
    assert_eq!(k.decide(start, start, true), Action::Wait(Some(start + seconds(30))));
    assert_eq!(k.decide(start + seconds(30), start, true), Action::Ping);
    assert_eq!(k.decide(start + seconds(30), start, true), Action::Wait(Some(start + seconds(50))));
    assert_eq!(k.decide(start + seconds(50), start, true), Action::Close);
}

#[test]
fn any_byte_that_comes_in_while_a_ping_is_out_keeps_the_connection() {
    let start = Instant::now();
    let mut k = state(false, start);
    assert_eq!(k.decide(start + seconds(30), start, true), Action::Ping);
    let read = start + seconds(45);
    assert_eq!(k.decide(start + seconds(50), read, true), Action::Wait(Some(start + seconds(65))));
    k.on_pong(start + seconds(51));
    assert_eq!(k.decide(start + seconds(51), read, true), Action::Wait(Some(start + seconds(81))));
}

#[test]
fn traffic_puts_the_next_ping_off() {
    let start = Instant::now();
    let mut k = state(false, start);
    let read = start + seconds(29);
    assert_eq!(k.decide(start + seconds(30), read, true), Action::Wait(Some(start + seconds(59))));
}

#[test]
fn an_idle_connection_is_left_alone_unless_asked() {
    let start = Instant::now();
    let mut k = state(false, start);
    assert_eq!(k.decide(start + seconds(99), start, false), Action::Wait(None));
    assert_eq!(k.decide(start + seconds(99), start, true), Action::Ping, "a call has begun");
    assert_eq!(state(true, start).decide(start + seconds(99), start, false), Action::Ping);
}

#[test]
fn keepalive_is_off_by_default() {
    let start = Instant::now();
    let mut k = KeepaliveState::new(Keepalive::default(), start);
    assert!(!k.is_on());
    assert_eq!(k.decide(start + seconds(10_000), start, true), Action::Wait(None));
}
