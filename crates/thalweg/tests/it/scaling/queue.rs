//! In which order calls leave the queue, and who leaves it otherwise.

use std::{future::Future, pin::pin, time::Duration};

use tonic::Code;

use super::{MAX_STREAMS, SECOND, calls, connections, expect_success, read, scaled, serve, waits};
use crate::support::{
    call, client, named, pass,
    script::{answer, name_in},
    settle,
};

#[tokio::test(start_paused = true)]
async fn calls_leave_the_queue_in_their_order_whichever_connection_has_room() {
    let mut script = scaled(2);
    let names: Vec<String> = (0..40).map(|n| n.to_string()).collect();
    let all = calls(&script, &["first"]).await;
    let mut one = script.accept_with(&[(MAX_STREAMS, 2)]).await;
    settle().await;
    let more = calls(&script, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let mut two = script.accept_with(&[(MAX_STREAMS, 2)]).await;
    let mut under_way = [vec![read(&mut one, "first").await, read(&mut one, "0").await], vec![]];
    under_way[1].extend([read(&mut two, "1").await, read(&mut two, "2").await]);
    let mut next = 3;
    for round in 0.. {
        let side = [0, 1, 1, 0, 0][round % 5];
        let Some(stream) = under_way[side].pop() else { break };
        let peer = if side == 0 { &mut one } else { &mut two };
        answer(peer, stream, "hello").await;
        if next < names.len() {
            under_way[side].push(read(peer, &names[next]).await);
            next += 1;
        }
    }
    for (peer, streams) in [(&mut one, &under_way[0]), (&mut two, &under_way[1])] {
        for stream in streams {
            answer(peer, *stream, "hello").await;
        }
    }
    assert_eq!(next, 40);
    expect_success(all.into_iter().chain(more)).await;
}

#[tokio::test(start_paused = true)]
async fn whoever_gives_up_in_the_queue_leaves_it_to_the_others() {
    let mut script = scaled(2);
    let first = calls(&script, &["first"]).await;
    let mut one = script.accept_with(&[(MAX_STREAMS, 1)]).await;
    let stream = read(&mut one, "first").await;
    let second = calls(&script, &["second"]).await;
    let mut two = script.accept_with(&[(MAX_STREAMS, 1)]).await;
    read(&mut two, "second").await;
    let mut late = named("late");
    late.set_timeout(SECOND);
    let late = call(&script.channel, late);
    settle().await;
    let waiting = calls(&script, &["ann", "bob", "cid"]).await;
    assert_eq!(waits(&script), (5, 4));
    waiting[1].abort();
    let status = late.await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(waits(&script), (5, 2));
    answer(&mut one, stream, "hello").await;
    serve(&mut one, "ann").await;
    serve(&mut one, "cid").await;
    one.expect_quiet(SECOND).await;
    second[0].abort();
    let [ann, _, cid] = waiting.try_into().unwrap();
    expect_success(first.into_iter().chain([ann, cid])).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_called_up_and_gives_up_at_that_moment_passes_its_stream_on() {
    for turns in 0..30 {
        let mut script = scaled(1);
        let first = calls(&script, &["first"]).await;
        let mut one = script.accept_with(&[(MAX_STREAMS, 1)]).await;
        let stream = read(&mut one, "first").await;
        let mut waiting = calls(&script, &["ann", "bob"]).await;
        answer(&mut one, stream, "hello").await;
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        waiting.remove(0).abort();
        let stream = one.expect_headers().await.stream;
        let name = name_in(one.expect_message(stream).await);
        if name == "ann" {
            // She was sent before she could give up.
            one.expect_reset(stream).await;
            serve(&mut one, "bob").await;
        } else {
            answer(&mut one, stream, "hello").await;
        }
        expect_success(first.into_iter().chain(waiting)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_nobody_polls_holds_up_the_others_for_a_second_at_most_and_keeps_its_place() {
    let mut script = scaled(1);
    let first = calls(&script, &["first"]).await;
    let mut one = script.accept_with(&[(MAX_STREAMS, 1)]).await;
    let stream = read(&mut one, "first").await;
    let mut idle = client(&script.channel);
    let mut idle = pin!(idle.say_hello(named("idle")));
    let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(idle.as_mut().poll(cx).is_pending())).await;
    assert!(polled);
    let waiting = calls(&script, &["ann", "bob", "cid"]).await;
    answer(&mut one, stream, "hello").await;
    one.expect_quiet(Duration::from_millis(900)).await;
    let begun = tokio::time::Instant::now();
    let ann = read(&mut one, "ann").await;
    assert!(begun.elapsed() < Duration::from_millis(1200), "{:?}", begun.elapsed());
    // It comes back, before those who came after it.
    let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(idle.as_mut().poll(cx).is_pending())).await;
    assert!(polled);
    answer(&mut one, ann, "hello").await;
    let script_end = async {
        serve(&mut one, "idle").await;
        serve(&mut one, "bob").await;
        serve(&mut one, "cid").await;
    };
    let (reply, ()) = tokio::join!(idle, script_end);
    assert_eq!(reply.unwrap().into_inner().message, "hello");
    expect_success(first.into_iter().chain(waiting)).await;
}

#[tokio::test(start_paused = true)]
async fn the_server_may_change_its_limit_at_any_time() {
    let mut script = scaled(2);
    let mut all = calls(&script, &["a"]).await;
    let mut one = script.accept_with(&[(MAX_STREAMS, 3)]).await;
    settle().await;
    all.extend(calls(&script, &["b", "c"]).await);
    let mut streams = vec![];
    for name in ["a", "b", "c"] {
        streams.push(read(&mut one, name).await);
    }
    // Fewer than there are: nobody is sent away, and the next one needs another connection.
    one.send_settings(&[(MAX_STREAMS, 1)]).await;
    settle().await;
    all.extend(calls(&script, &["d"]).await);
    let mut two = script.accept_with(&[(MAX_STREAMS, 1)]).await;
    let d = read(&mut two, "d").await;
    all.extend(calls(&script, &["e", "f", "g"]).await);
    assert_eq!(waits(&script).1, 3);
    // None at all for now.
    two.send_settings(&[(MAX_STREAMS, 0)]).await;
    settle().await;
    answer(&mut two, d, "hello").await;
    answer(&mut one, streams.remove(0), "hello").await;
    answer(&mut one, streams.remove(0), "hello").await;
    one.expect_quiet(SECOND).await;
    two.expect_quiet(SECOND).await;
    assert_eq!(waits(&script).1, 3);
    // As many as there are.
    two.send_settings(&[(MAX_STREAMS, 2)]).await;
    serve(&mut two, "e").await;
    serve(&mut two, "f").await;
    serve(&mut two, "g").await;
    answer(&mut one, streams.remove(0), "hello").await;
    // A server that raises its limit spares itself a connection.
    one.send_settings(&[(MAX_STREAMS, 100)]).await;
    settle().await;
    all.extend(calls(&script, &["h", "i", "j", "k"]).await);
    for name in ["h", "i", "j", "k"] {
        serve(&mut one, name).await;
    }
    expect_success(all).await;
    assert_eq!((connections(&script), script.listener.host().attempts()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_service_config_that_allows_more_connections_counts_for_calls_that_wait() {
    use crate::support::fleet::{Fleet, ONE};
    let fleet = Fleet::new();
    let one = fleet.start_with(ONE, |builder| builder.max_concurrent_streams(1)).await;
    let set = |connections: u32| {
        let config = thalweg::core::service_config::ServiceConfig::parse(
            &super::most(connections),
            thalweg::registry::Registry::default().policies(),
        );
        fleet.names.set(thalweg::resolver::ResolverUpdate {
            service_config: Some(Ok(std::sync::Arc::new(config.unwrap()))),
            ..fleet.update(&[ONE])
        });
    };
    set(1);
    let channel = fleet.builder("names:fleet").build().unwrap();
    let mut hanging: Vec<_> = (0..5).map(|_| call(&channel, named("hang"))).collect();
    pass(SECOND).await;
    assert_eq!((one.present(), one.host.connections().len()), (1, 1));
    set(3);
    settle().await;
    assert_eq!((one.present(), one.host.connections().len(), one.host.attempts()), (3, 3, 3));
    // No connection is closed for a lower number, and none is made until there are fewer.
    set(2);
    pass(SECOND).await;
    assert_eq!((one.present(), one.host.connections().len()), (3, 3));
    one.host.connections()[2].cut();
    pass(SECOND).await;
    assert_eq!((one.present(), one.host.connections().len(), one.host.attempts()), (2, 2, 3));
    let (waiting, failed) =
        (channel.subchannel_stats()[0].calls_waiting, hanging.iter().filter(|c| c.is_finished()).count());
    assert_eq!((waiting, failed), (2, 1));
    hanging.drain(..).for_each(|call| call.abort());
}
