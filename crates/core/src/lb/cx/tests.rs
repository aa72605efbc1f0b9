//! What a policy asks for, as commands.

use std::time::{Duration, Instant};

use super::{Command, Cx, Mint};

#[test]
fn a_timer_for_longer_than_the_clock_runs_is_armed_for_the_far_future() {
    #[allow(clippy::disallowed_methods)] // A test needs some instant to count from.
    let now = Instant::now();
    let (mut mint, mut out) = (Mint::new(1), vec![]);
    let armed = Cx::new(now, &mut mint, &mut out).arm(Duration::MAX);
    let [Command::Arm { timer, at }] = out[..] else { panic!("{out:?}") };
    assert_eq!(timer, armed);
    assert!(at > now + Duration::from_secs(365 * 24 * 60 * 60));
}
