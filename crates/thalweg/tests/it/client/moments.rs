//! Calls that begin at any moment of something else: one more turn of the scheduler each time.

use std::time::Duration;

use crate::support::{
    call,
    fleet::{Fleet, ONE, ROUND_ROBIN, TWO},
    hello, named, pass,
    script::{Script, answer},
};

/// More turns than anything takes.
const MOMENTS: usize = 60;

async fn turns(count: usize) {
    for _ in 0..count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_while_the_channel_falls_asleep_wakes_it() {
    for moment in 0..MOMENTS {
        let fleet = Fleet::new();
        let _one = fleet.start(ONE).await;
        let idle = Some(Duration::from_secs(1));
        let channel = fleet.builder(&format!("ipv4:{ONE}")).idle_timeout(idle).build().unwrap();
        hello(&channel, "ann").await.unwrap();
        pass(Duration::from_secs(1)).await;
        turns(moment).await;
        assert_eq!(hello(&channel, "bob").await.unwrap().message, "hello bob", "after {moment} turns");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_while_the_backends_change_reaches_one_of_them() {
    for config in ["{}", ROUND_ROBIN] {
        for moment in 0..MOMENTS {
            let fleet = Fleet::new();
            let (_one, _two) = (fleet.start(ONE).await, fleet.start(TWO).await);
            fleet.names.set(fleet.update(&[ONE]));
            let channel = fleet.builder("names:fleet").default_service_config(config).build().unwrap();
            hello(&channel, "ann").await.unwrap();
            fleet.names.set(fleet.update(&[TWO]));
            turns(moment).await;
            assert_eq!(hello(&channel, "bob").await.unwrap().message, "hello bob", "after {moment} turns");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_while_the_connection_is_made_waits_for_it() {
    for moment in 0..MOMENTS {
        let fleet = Fleet::new();
        let one = fleet.start(ONE).await;
        let channel = fleet.to_one();
        channel.connect();
        turns(moment).await;
        assert_eq!(hello(&channel, "bob").await.unwrap().message, "hello bob", "after {moment} turns");
        assert_eq!(one.host.attempts(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_at_any_moment_of_a_goaway_or_an_end_succeeds() {
    for moment in 0..MOMENTS {
        for ends in [false, true] {
            let mut script = Script::new();
            let (first, mut old, head) = script.call().await;
            old.expect_message(head.stream).await;
            answer(&mut old, head.stream, "hello").await;
            first.await.unwrap().unwrap();
            if ends {
                old.close().await
            } else {
                old.go_away(head.stream, 0, "").await
            }
            turns(moment).await;
            let again = call(&script.channel, named("bob"));
            let mut new = script.accept().await;
            let stream = new.expect_headers().await.stream;
            answer(&mut new, stream, "hello again").await;
            assert_eq!(again.await.unwrap().unwrap().message, "hello again", "after {moment} turns");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_given_up_at_any_moment_leaves_nothing_behind() {
    for moment in 0..MOMENTS {
        let fleet = Fleet::new();
        let one = fleet.start(ONE).await;
        let idle = Some(Duration::from_secs(1));
        let channel = fleet.builder(&format!("ipv4:{ONE}")).idle_timeout(idle).build().unwrap();
        let given_up = call(&channel, named("hang"));
        turns(moment).await;
        given_up.abort();
        pass(Duration::from_millis(10)).await;
        assert_eq!(one.present(), 0, "after {moment} turns");
        assert_eq!(hello(&channel, "bob").await.unwrap().message, "hello bob");
        // Nothing counts as a call any more.
        pass(Duration::from_secs(3)).await;
        assert_eq!(one.host.connections().len(), 0, "after {moment} turns");
    }
}
