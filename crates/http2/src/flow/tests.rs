//! Tests of the arithmetic of windows.

use super::{Exceeded, INITIAL, LARGEST, ReceiveWindow, SendWindow, TooLarge};

#[test]
fn a_window_that_settings_made_negative_has_to_be_earned_back() {
    let mut window = SendWindow::new(INITIAL);
    window.take(60_000);
    assert_eq!(window.shift(-i64::from(INITIAL)), Ok(()));
    assert_eq!((window.size(), window.available()), (-60_000, 0));
    assert_eq!(window.widen(60_000), Ok(()));
    assert_eq!(window.available(), 0);
    assert_eq!(window.widen(1), Ok(()));
    assert_eq!(window.available(), 1);
}

#[test]
fn a_window_can_be_as_large_as_the_protocol_allows_and_no_larger() {
    let mut window = SendWindow::new(LARGEST - 1);
    assert_eq!(window.widen(1), Ok(()));
    assert_eq!(window.widen(1), Err(TooLarge));
    assert_eq!(window.shift(1), Err(TooLarge));
    assert_eq!(window.available(), LARGEST as usize);
}

#[test]
fn bytes_up_to_the_allowance_are_received_and_no_more() {
    let mut window = ReceiveWindow::new(10);
    assert_eq!(window.receive(10), Ok(()));
    assert_eq!(window.receive(1), Err(Exceeded { sent: 1, allowed: 0 }));
    window.credit(5);
    assert_eq!(window.receive(6), Err(Exceeded { sent: 6, allowed: 5 }));
    assert_eq!((window.receive(5), window.size()), (Ok(()), 0));
    window.credit(-100);
    assert_eq!(window.receive(1), Err(Exceeded { sent: 1, allowed: 0 }));
    assert_eq!(window.receive(0), Err(Exceeded { sent: 0, allowed: 0 }));
}
