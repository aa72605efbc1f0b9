//! Tests of alarms.

use std::{future::poll_fn, task::Poll, time::Duration};

use super::{Alarm, now, poll_turn};

#[tokio::test(start_paused = true)]
async fn an_alarm_rings_even_for_a_task_that_has_used_up_its_turn() {
    let mut alarm = Alarm::default();
    alarm.set(Some(now() + Duration::from_millis(1)));
    assert!(poll_fn(|cx| Poll::Ready(alarm.poll_ring(cx).is_pending())).await);
    tokio::time::advance(Duration::from_millis(2)).await;
    let rang = poll_fn(|cx| {
        while poll_turn(cx).is_ready() {}
        Poll::Ready(alarm.poll_ring(cx).is_ready())
    });
    assert!(rang.await);
}
