//! Tests of the schedule.

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn it_is_a_function_of_its_seed() {
    assert_eq!(events(7, MINUTE), events(7, MINUTE));
    assert_ne!(events(7, MINUTE), events(8, MINUTE));
}

#[test]
fn every_fault_happens_and_every_backend_is_well_again() {
    let events = events(1, MINUTE);
    for fault in Fault::ALL {
        assert!(events.iter().any(|event| event.fault == Some(fault)), "{fault:?}");
    }
    for backend in 0..BACKENDS {
        let last = events.iter().rfind(|event| event.backend == backend).unwrap();
        assert_eq!(last.fault, None);
    }
}

#[test]
fn no_more_than_three_backends_are_at_fault_at_a_time() {
    for seed in 0..50 {
        let mut at_fault = [false; BACKENDS];
        for event in events(seed, MINUTE) {
            at_fault[event.backend] = event.fault.is_some();
            assert!(at_fault.iter().filter(|is| **is).count() <= AT_FAULT, "seed {seed} at {:?}", event.at);
        }
    }
}
