//! When names are looked up, on paused time.

use super::*;

fn no_name() -> Result<Answer, ResolveError> {
    Err(ResolveError::NotFound { host: "greeter".into() })
}

fn polling(seconds: u64) -> DnsOptions {
    DnsOptions { polling: Some(Duration::from_secs(seconds)), ..DnsOptions::default() }
}

#[tokio::test(start_paused = true)]
async fn the_first_look_up_is_immediate_and_gives_all_addresses_in_order() {
    let script = Script::new([found(&[2, 1, 3], None)]);
    let (mut watch, _) = watch(&script, DnsOptions::default());
    let update = watch.next().await.unwrap();
    assert_eq!(addresses(&update), "10.0.0.2:50051 10.0.0.1:50051 10.0.0.3:50051");
    assert!(update.service_config.is_none());
    assert_eq!(script.asked_at(), [0]);
}

#[tokio::test(start_paused = true)]
async fn a_question_within_the_minimum_interval_is_answered_when_it_is_over() {
    let script = Script::new([found(&[1], None), found(&[2], None), found(&[3], None)]);
    let (mut watch, cx) = watch(&script, DnsOptions::default());
    watch.next().await.unwrap();
    cx.ask();
    cx.ask();
    assert_eq!(addresses(&watch.next().await.unwrap()), "10.0.0.2:50051");
    assert_eq!(script.asked_at(), [0, 30], "two questions are one");
    tokio::time::advance(Duration::from_secs(100)).await;
    cx.ask();
    watch.next().await.unwrap();
    assert_eq!(script.asked_at(), [0, 30, 130], "after the interval the answer is immediate");
}

#[tokio::test(start_paused = true)]
async fn a_question_survives_the_drop_of_the_future_that_heard_it() {
    let script = Script::new([found(&[1], None), found(&[2], None)]);
    let (mut watch, cx) = watch(&script, DnsOptions::default());
    watch.next().await.unwrap();
    cx.ask();
    assert!(tokio::time::timeout(Duration::from_secs(10), watch.next()).await.is_err());
    assert_eq!(addresses(&watch.next().await.unwrap()), "10.0.0.2:50051");
    assert_eq!(script.asked_at(), [0, 30]);
}

#[tokio::test(start_paused = true)]
async fn without_a_question_nothing_is_looked_up_again() {
    let script = Script::new([found(&[1], Some(5))]);
    let (mut watch, _) = watch(&script, DnsOptions::default());
    watch.next().await.unwrap();
    assert!(tokio::time::timeout(Duration::from_secs(86_400), watch.next()).await.is_err());
    assert_eq!(script.asked_at(), [0]);
}

#[tokio::test(start_paused = true)]
async fn after_a_failure_the_channel_may_ask_after_a_second_and_sees_the_name_heal() {
    let script = Script::new([no_name(), no_name(), found(&[1], None)]);
    let (mut watch, cx) = watch(&script, DnsOptions::default());
    let error = watch.next().await.unwrap_err();
    assert_eq!(error.to_string(), "no such host: greeter");
    cx.ask();
    watch.next().await.unwrap_err();
    cx.ask();
    assert_eq!(addresses(&watch.next().await.unwrap()), "10.0.0.1:50051");
    assert_eq!(script.asked_at(), [0, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn polling_waits_for_the_time_to_live_but_never_asks_more_often_than_it_was_told() {
    let answers = [found(&[1], Some(300)), found(&[1, 2], Some(5)), found(&[1], None), found(&[1], Some(0))];
    let script = Script::new(answers);
    let (mut watch, _) = watch(&script, polling(60));
    for _ in 0..4 {
        watch.next().await.unwrap();
    }
    assert_eq!(script.asked_at(), [0, 300, 360, 420]);
}

#[tokio::test(start_paused = true)]
async fn polling_respects_the_minimum_interval_and_goes_on_after_failures() {
    let script = Script::new([found(&[1], None), no_name(), found(&[1], None)]);
    let (mut watch, _) = watch(&script, polling(10));
    watch.next().await.unwrap();
    watch.next().await.unwrap_err();
    watch.next().await.unwrap();
    assert_eq!(script.asked_at(), [0, 30, 40]);
}

#[tokio::test(start_paused = true)]
async fn a_name_system_that_never_answers_is_given_up_after_the_timeout() {
    let script = Script::new([]);
    let (mut watch, _) = watch(&script, DnsOptions { timeout: Duration::from_secs(7), ..DnsOptions::default() });
    let began = Instant::now();
    let error = watch.next().await.unwrap_err();
    assert_eq!(error.to_string(), "looking up greeter: no answer in 7s");
    assert_eq!(began.elapsed().as_secs(), 7);
}

#[tokio::test(start_paused = true)]
async fn intervals_beyond_the_end_of_time_mean_never() {
    let options = DnsOptions { min_interval: Duration::MAX, polling: Some(Duration::MAX), ..DnsOptions::default() };
    let script = Script::new([found(&[1], None)]);
    let (mut watch, cx) = watch(&script, options);
    watch.next().await.unwrap();
    cx.ask();
    assert!(tokio::time::timeout(Duration::from_secs(86_400), watch.next()).await.is_err());
}
