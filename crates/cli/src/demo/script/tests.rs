//! The story has the right scenes at any length.

use std::time::Duration;

use super::{Deed, scenes};

fn secs(duration: u64, backends: usize) -> Vec<(f64, usize, Deed)> {
    let scenes = scenes(Duration::from_secs(duration), backends);
    scenes.into_iter().map(|(at, backend, deed)| (at.as_secs_f64(), backend, deed)).collect()
}

#[test]
fn one_backend_is_drained_and_another_killed() {
    let story =
        vec![(4.0, 0, Deed::Drain), (8.0, 0, Deed::BringBack), (11.0, 1, Deed::Kill), (15.0, 1, Deed::BringBack)];
    assert_eq!(secs(20, 4), story);
}

#[test]
fn a_long_run_tells_the_story_of_every_backend() {
    let story = secs(60, 5);
    let victims: Vec<_> = story.iter().map(|(_, backend, _)| *backend).collect();
    assert_eq!(victims, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 0, 0]);
    assert_eq!(story[4], (24.0, 2, Deed::Drain));
}

#[test]
fn whatever_the_length_all_are_back_before_the_end_and_only_one_is_away() {
    for duration in [1, 3, 19, 39, 41, 3600] {
        for backends in 2..6 {
            let story = secs(duration, backends);
            assert!(story.is_sorted_by(|a, b| a.0 < b.0));
            assert!(story.last().unwrap().0 < duration as f64);
            for pair in story.chunks(2) {
                assert!(pair[0].2 != Deed::BringBack && pair[1].2 == Deed::BringBack && pair[0].1 == pair[1].1);
            }
        }
    }
}
