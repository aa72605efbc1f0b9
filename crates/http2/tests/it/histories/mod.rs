//! Random histories: a client and a server joined by pipes that are cut at random places, doing whatever is allowed. What
//! has to hold at every moment is checked by [`play`]; a history that fails is made shorter before it is shown.

mod end;
mod operation;
mod play;
mod stream;

use std::{
    panic::{self, AssertUnwindSafe},
    time::{Duration, Instant},
};

use fastrand::Rng;
use operation::{Operation, Setting};
use play::play;

/// How long histories are made up.
const PATIENCE: Duration = Duration::from_millis(1500);
/// Operations of a history.
const LENGTH: usize = 80;

/// Everything that happens is decided before it is played, so that a part of it can be played again.
fn history(seed: u64) -> (Setting, Vec<Operation>) {
    let mut rng = Rng::with_seed(seed);
    let setting = Setting::any(&mut rng);
    let operations = (0..rng.usize(1..LENGTH)).map(|_| Operation::any(&mut rng)).collect();
    (setting, operations)
}

fn fails(setting: Setting, operations: &[Operation]) -> bool {
    panic::catch_unwind(AssertUnwindSafe(|| play(setting, operations))).is_err()
}

/// Leaves out, again and again, what is not needed to fail.
fn shortest(setting: Setting, mut operations: Vec<Operation>) -> Vec<Operation> {
    let mut step = operations.len().div_ceil(2);
    while step > 0 {
        let mut at = 0;
        while at < operations.len() {
            let mut shorter = operations.clone();
            shorter.drain(at..(at + step).min(operations.len()));
            if fails(setting, &shorter) {
                operations = shorter;
            } else {
                at += step;
            }
        }
        step /= 2;
    }
    operations
}

fn check(seed: u64) {
    let (setting, operations) = history(seed);
    if panic::catch_unwind(AssertUnwindSafe(|| play(setting, &operations))).is_ok() {
        return;
    }
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let operations = shortest(setting, operations);
    panic::set_hook(hook);
    println!("seed {seed}, in short: {setting:?}\n{operations:#?}");
    play(setting, &operations);
    panic!("seed {seed} fails only now and then");
}

#[test]
fn whatever_is_allowed_leaves_both_ends_of_one_mind() {
    let start = Instant::now();
    let mut played = 0;
    while start.elapsed() < PATIENCE {
        let seed = fastrand::u64(..);
        check(seed);
        played += 1;
    }
    println!("{played} histories");
    assert!(played > 100, "only {played} histories in {PATIENCE:?}");
}

#[test]
fn the_same_histories_as_ever_hold() {
    (0..300).for_each(check);
}
