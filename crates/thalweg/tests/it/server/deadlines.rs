//! Deadlines cover the handler and the response stream.

use std::time::Duration;

use tokio::time::Instant;
use tonic::Code;

use super::fixture::{Answer, Event, REPEATEDLY, SAY_HELLO, TO_ALL, World, hello, post, repeat};

#[tokio::test(start_paused = true)]
async fn at_its_deadline_a_handler_is_dropped_and_the_client_is_told() {
    let mut world = World::plain().await;
    let mut client = world.connect().await;
    let begun = Instant::now();
    let response = client.ask(post(SAY_HELLO).header("grpc-timeout", "100m"), hello("hang")).await;
    assert!(matches!(world.event().await, Event::Started));
    let answer = Answer::of(response).await.unwrap();
    assert_eq!(answer.status(), (Code::DeadlineExceeded, "the deadline passed at the server".to_owned()));
    assert!(answer.trailers.is_none());
    assert_eq!(begun.elapsed().as_millis() / 2, 50);
    assert!(matches!(world.event().await, Event::Dropped));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_covers_the_response_stream() {
    let mut world = World::plain().await;
    let mut client = world.connect().await;
    let response = client.ask(post(REPEATEDLY).header("grpc-timeout", "1S"), repeat("ann", 3)).await;
    let answer = Answer::of(response).await.unwrap();
    assert_eq!(answer.messages().len(), 3);
    assert_eq!(answer.code(), Code::DeadlineExceeded);
    while !matches!(world.event().await, Event::Dropped) {}
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_finds_the_window_shut_resets_the_stream() {
    let mut world = World::plain().await;
    let mut client = world.connect().await;
    let response = client.ask(post(REPEATEDLY).header("grpc-timeout", "1S"), repeat("large", 1000)).await;
    let mut body = response.await.unwrap().into_body();
    let error = loop {
        match body.data().await.unwrap() {
            Ok(_) => {} // and the window stays shut
            Err(error) => break error,
        }
    };
    assert_eq!(error.reason(), Some(h2::Reason::CANCEL));
    while !matches!(world.event().await, Event::Dropped) {}
}

#[tokio::test(start_paused = true)]
async fn a_handler_knows_its_deadline() {
    let world = World::plain().await;
    let mut client = world.connect().await;
    let response = client.ask(post(SAY_HELLO).header("grpc-timeout", "5S"), hello("deadline")).await;
    assert_eq!(Answer::of(response).await.unwrap().messages(), [format!("{:?}", Some(Duration::from_secs(5)))]);
    assert_eq!(client.call(SAY_HELLO, hello("deadline")).await.messages(), ["None"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_comes_too_late_never_reaches_its_handler() {
    let mut world = World::plain().await;
    let mut client = world.connect().await;
    let response = client.ask(post(SAY_HELLO).header("grpc-timeout", "0n"), hello("ann")).await;
    assert_eq!(Answer::of(response).await.unwrap().code(), Code::DeadlineExceeded);
    assert_eq!(world.events_so_far(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_malformed_timeout_is_refused() {
    let world = World::plain().await;
    let mut client = world.connect().await;
    for wrong in ["", "1", "S", "-1S", "123456789S", "1 S"] {
        let response = client.ask(post(SAY_HELLO).header("grpc-timeout", wrong), hello("ann")).await;
        let answer = Answer::of(response).await.unwrap();
        assert_eq!((answer.head.status().as_u16(), answer.code()), (400, Code::Internal), "{wrong:?}");
        assert!(answer.status().1.starts_with("malformed request: grpc-timeout"), "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_outlives_the_deadline_hears_an_error_and_no_clean_end() {
    let mut world = World::plain().await;
    let request = post(TO_ALL).header("grpc-timeout", "1S").header("x-mode", "spawn");
    let (response, mut body) = world.connect().await.open(request).await;
    body.send_data(hello("ann"), false).unwrap();
    assert_eq!(Answer::of(response).await.unwrap().code(), Code::DeadlineExceeded);
    loop {
        if let Event::Read(Err(status)) = world.event().await {
            assert_eq!(status.code(), Code::Unavailable, "{status:?}");
            break;
        }
    }
}
