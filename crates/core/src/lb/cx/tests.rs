//! What a policy asks for, as commands.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use super::{Command, Cx, Mint};
use crate::endpoint::{Address, Endpoint};

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

#[test]
fn no_two_mints_name_a_subchannel_alike_however_often_they_use_its_slot_again() {
    #[allow(clippy::disallowed_methods)] // A test needs some instant to count from.
    let now = Instant::now();
    let address = Address::Opaque("a".into());
    let endpoint = Endpoint::new([address.clone()]);
    let mut seen = BTreeSet::new();
    for _ in 0..20 {
        let (mut mint, mut out) = (Mint::new(7), vec![]);
        let mut cx = Cx::new(now, &mut mint, &mut out);
        let mut last = None;
        for _ in 0..1_000 {
            let id = cx.create(&endpoint, &address);
            assert!(seen.insert(id), "{id:?} was there before");
            assert!(last.is_none_or(|last: u32| id.generation() == last.wrapping_add(1)));
            last = Some(id.generation());
            cx.shutdown(id);
        }
    }
}
