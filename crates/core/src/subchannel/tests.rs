//! The machine's transitions and its times.

use std::time::{Duration, Instant};

use super::{Attempt, Subchannel};
use crate::{backoff::BackoffConfig, lb::event::SubchannelState, random::Random};

const SECOND: Duration = Duration::from_secs(1);

fn machine() -> (Subchannel, Instant, Random) {
    let config = BackoffConfig { jitter: 0.0, ..BackoffConfig::default() };
    #[allow(clippy::disallowed_methods)] // A test needs some instant to count from.
    let now = Instant::now();
    (Subchannel::new(config), now, Random::new(1))
}

#[test]
fn an_attempt_that_succeeds_leads_to_ready_and_a_closed_connection_to_idle() {
    let (mut subchannel, now, mut random) = machine();
    assert_eq!(*subchannel.state(), SubchannelState::Idle);
    assert_eq!(subchannel.connect(now, &mut random), Some(Attempt { deadline: now + 20 * SECOND }));
    assert_eq!(*subchannel.state(), SubchannelState::Connecting);
    subchannel.connected();
    assert_eq!(*subchannel.state(), SubchannelState::Ready);
    subchannel.closed();
    assert_eq!(*subchannel.state(), SubchannelState::Idle);
}

#[test]
fn a_failed_attempt_waits_for_the_backoff_counted_from_its_start() {
    let (mut subchannel, now, mut random) = machine();
    subchannel.connect(now, &mut random);
    let retry_at = subchannel.failed(now + SECOND / 4, "refused".into());
    assert_eq!(retry_at, now + SECOND);
    assert_eq!(*subchannel.state(), SubchannelState::TransientFailure { reason: "refused".into(), retry_at });
    assert_eq!(subchannel.connect(retry_at, &mut random), None);
    subchannel.backoff_over();
    assert_eq!(*subchannel.state(), SubchannelState::Idle);
    assert!(subchannel.connect(retry_at, &mut random).is_some());
    assert_eq!(subchannel.failed(retry_at, "refused".into()), retry_at + SECOND.mul_f64(1.6));
}

#[test]
fn an_attempt_that_took_longer_than_the_backoff_may_be_followed_at_once() {
    let (mut subchannel, now, mut random) = machine();
    subchannel.connect(now, &mut random);
    let late = now + 20 * SECOND;
    assert_eq!(subchannel.failed(late, "timed out".into()), late);
}

#[test]
fn an_attempt_is_given_at_least_the_backoff_that_follows_it() {
    let (mut subchannel, mut now, mut random) = machine();
    let mut patience = Duration::ZERO;
    for _ in 0..12 {
        patience = subchannel.connect(now, &mut random).unwrap().deadline - now;
        now = subchannel.failed(now, "refused".into());
        subchannel.backoff_over();
    }
    assert_eq!(patience, 120 * SECOND);
}

#[test]
fn a_success_forgets_the_failures_before_it() {
    let (mut subchannel, now, mut random) = machine();
    for _ in 0..5 {
        subchannel.connect(now, &mut random);
        subchannel.failed(now, "refused".into());
        subchannel.backoff_over();
    }
    subchannel.connect(now, &mut random);
    subchannel.connected();
    subchannel.closed();
    subchannel.connect(now, &mut random);
    assert_eq!(subchannel.failed(now, "refused".into()), now + SECOND);
}

#[test]
fn reports_that_come_too_late_change_nothing() {
    let (mut subchannel, now, mut random) = machine();
    let idle = |subchannel: &mut Subchannel| {
        subchannel.connected();
        subchannel.closed();
        subchannel.backoff_over();
        assert_eq!(subchannel.failed(now, "late".into()), now);
    };
    idle(&mut subchannel);
    assert_eq!(*subchannel.state(), SubchannelState::Idle);
    subchannel.connect(now, &mut random);
    subchannel.closed();
    subchannel.backoff_over();
    assert_eq!(*subchannel.state(), SubchannelState::Connecting);
    assert_eq!(subchannel.connect(now, &mut random), None);
    subchannel.connected();
    subchannel.backoff_over();
    assert_eq!(subchannel.failed(now, "late".into()), now);
    assert_eq!(*subchannel.state(), SubchannelState::Ready);
}

#[test]
fn a_ready_subchannel_makes_one_attempt_at_a_time_for_as_many_connections_as_it_may_have() {
    let (mut subchannel, now, mut random) = machine();
    assert_eq!(subchannel.connect_another(9, now, &mut random), None, "it has none yet");
    subchannel.connect(now, &mut random);
    subchannel.connected();
    assert_eq!(subchannel.connect(now, &mut random), None);
    assert_eq!(subchannel.connect_another(1, now, &mut random), None);
    assert!(subchannel.connect_another(2, now, &mut random).is_some());
    assert_eq!(subchannel.connect_another(9, now, &mut random), None, "one is under way");
    assert_eq!(*subchannel.state(), SubchannelState::Ready);
    subchannel.connected();
    assert_eq!(subchannel.connections(), 2);
    assert!(!subchannel.may_grow(2) && subchannel.may_grow(3));
}

#[test]
fn an_attempt_for_another_connection_is_to_be_seen_when_the_last_one_has_ended() {
    let (mut subchannel, now, mut random) = machine();
    subchannel.connect(now, &mut random);
    subchannel.connected();
    subchannel.connect_another(2, now, &mut random);
    subchannel.closed();
    assert_eq!(*subchannel.state(), SubchannelState::Connecting);
    subchannel.connected();
    assert_eq!(*subchannel.state(), SubchannelState::Ready);
    subchannel.connect_another(2, now, &mut random);
    let retry_at = subchannel.failed(now, "refused".into());
    assert_eq!((subchannel.state(), retry_at), (&SubchannelState::Ready, now + SECOND));
    assert_eq!(subchannel.connect_another(2, now, &mut random), None, "the backoff is not over");
    subchannel.closed();
    assert_eq!(*subchannel.state(), SubchannelState::TransientFailure { reason: "refused".into(), retry_at });
    subchannel.backoff_over();
    assert_eq!(*subchannel.state(), SubchannelState::Idle);
}

#[test]
fn attempts_for_further_connections_share_the_backoff() {
    let (mut subchannel, now, mut random) = machine();
    subchannel.connect(now, &mut random);
    subchannel.connected();
    for wait in [SECOND, SECOND.mul_f64(1.6), SECOND.mul_f64(2.56)] {
        subchannel.connect_another(3, now, &mut random);
        assert_eq!(subchannel.failed(now, "refused".into()), now + wait);
        subchannel.backoff_over();
    }
    subchannel.connect_another(3, now, &mut random);
    subchannel.connected();
    subchannel.connect_another(3, now, &mut random);
    assert_eq!(subchannel.failed(now, "refused".into()), now + SECOND);
}
