//! When the window waits for readers, and when pieces are copied.

use super::*;

fn bytes(bytes: usize) -> Held {
    Held { bytes, pieces: 0 }
}

fn pieces(pieces: usize) -> Held {
    Held { bytes: 0, pieces }
}

#[test]
fn whoever_reads_enough_returns_the_window_once() {
    let unread = Unread::new(100);
    unread.hold(bytes(100));
    assert!(!unread.must_withhold());
    unread.hold(bytes(50));
    assert!(unread.must_withhold());
    assert!(!unread.release(bytes(49)), "it is still too much");
    assert!(unread.release(bytes(1)));
    assert!(!unread.release(bytes(100)), "the window is not waiting any more");
    assert_eq!(unread.bytes(), 0);
}

#[test]
fn pieces_are_shared_until_many_wait_and_again_when_they_are_read() {
    let unread = Unread::new(100);
    unread.hold(pieces(255));
    assert!(unread.may_share());
    unread.hold(pieces(1));
    assert!(!unread.may_share());
    assert!(!unread.release(pieces(1)), "the window has not waited");
    assert!(unread.may_share());
}

#[test]
fn what_is_read_before_it_is_counted_is_no_debt() {
    let unread = Unread::new(100);
    assert!(!unread.release(Held { bytes: 7, pieces: 1 }));
    assert_eq!((unread.bytes(), unread.may_share()), (0, true));
    unread.hold(Held { bytes: 7, pieces: 1 });
    assert_eq!(unread.bytes(), 0);
}
