//! Calls of all kinds, their ends, and what a handler reaches.

use bytes::Bytes;
use tonic::Code;

use super::fixture::{Answer, CHAT, Event, REPEATEDLY, SAY_HELLO, TO_ALL, World, hello, post, repeat};

#[tokio::test(start_paused = true)]
async fn a_unary_call_is_answered_by_headers_a_message_and_trailers() {
    let world = World::plain().await;
    let answer = world.connect().await.call(SAY_HELLO, hello("ann")).await;
    assert_eq!(answer.head.status(), 200);
    assert_eq!(answer.head.headers()["content-type"], "application/grpc");
    assert_eq!(answer.messages(), ["hello ann"]);
    assert_eq!(answer.trailers.as_ref().unwrap()["grpc-status"], "0");
}

#[tokio::test(start_paused = true)]
async fn a_server_stream_is_answered_message_by_message() {
    let world = World::plain().await;
    let answer = world.connect().await.call(REPEATEDLY, repeat("ann", 2)).await;
    assert_eq!(answer.messages(), ["hello ann", "hello ann"]);
    assert_eq!(answer.code(), Code::Ok);
}

#[tokio::test(start_paused = true)]
async fn a_client_stream_is_read_to_its_end() {
    let world = World::plain().await;
    let (response, mut body) = world.connect().await.open(post(TO_ALL)).await;
    body.send_data(hello("ann"), false).unwrap();
    body.send_data(hello("bob"), true).unwrap();
    let answer = Answer::of(response).await.unwrap();
    assert_eq!(answer.messages(), ["ann and bob"]);
}

#[tokio::test(start_paused = true)]
async fn a_chat_answers_before_the_request_has_ended() {
    let world = World::plain().await;
    let (response, mut body) = world.connect().await.open(post(CHAT)).await;
    body.send_data(hello("ann"), false).unwrap();
    let mut replies = response.await.unwrap().into_body();
    let first = replies.data().await.unwrap().unwrap();
    assert!(first.ends_with(b"hello ann"));
    body.send_data(hello("bob"), true).unwrap();
    let second = replies.data().await.unwrap().unwrap();
    assert!(second.ends_with(b"hello bob"));
    assert_eq!(replies.trailers().await.unwrap().unwrap()["grpc-status"], "0");
}

#[tokio::test(start_paused = true)]
async fn a_handler_error_is_one_frame_of_headers() {
    let world = World::plain().await;
    let answer = world.connect().await.call(SAY_HELLO, hello("fail")).await;
    assert!(answer.trailers.is_none() && answer.body.is_empty());
    assert_eq!(answer.status(), (Code::NotFound, "nobody of that name".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn trailing_metadata_goes_out_on_success_and_on_failure() {
    let world = World::plain().await;
    let mut client = world.connect().await;
    for (name, code) in [("trailers", Code::Ok), ("fail", Code::NotFound)] {
        let answer = client.call(SAY_HELLO, hello(name)).await;
        assert_eq!(answer.code(), code);
        assert_eq!(answer.end()["x-cost"], "12", "{name}");
        assert_eq!(answer.end()["x-trace-bin"], "AP8", "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_adds_trailing_metadata_as_late_as_its_last_message() {
    let world = World::plain().await;
    let answer = world.connect().await.call(REPEATEDLY, repeat("trailers", 2)).await;
    let steps: Vec<_> = answer.end().get_all("x-step").iter().collect();
    assert_eq!(steps, ["0", "1"]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_fails_ends_with_its_status_after_its_messages() {
    let world = World::plain().await;
    let answer = world.connect().await.call(REPEATEDLY, repeat("fail", 2)).await;
    assert_eq!(answer.messages(), ["hello fail"]);
    assert_eq!(answer.status(), (Code::Aborted, "enough".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn an_early_answer_does_not_wait_for_the_request() {
    let world = World::plain().await;
    let (response, mut body) = world.connect().await.open(post(TO_ALL).header("x-mode", "early")).await;
    body.send_data(hello("ann"), false).unwrap();
    assert_eq!(Answer::of(response).await.unwrap().code(), Code::AlreadyExists);
    let reset = std::future::poll_fn(|cx| body.poll_reset(cx)).await.unwrap();
    assert_eq!(reset, h2::Reason::NO_ERROR);
}

#[tokio::test(start_paused = true)]
async fn a_panic_ends_its_own_call_and_nobody_elses() {
    let mut world = World::plain().await;
    let mut client = world.connect().await;
    let waiting = client.ask(post(SAY_HELLO), hello("slow")).await;
    assert!(matches!(world.event().await, Event::Started));
    let answer = client.call(SAY_HELLO, hello("panic")).await;
    assert_eq!(answer.status(), (Code::Internal, "the handler panicked".to_owned()));
    let answer = client.call(REPEATEDLY, repeat("panic", 2)).await;
    assert_eq!(answer.code(), Code::Internal);
    assert_eq!(Answer::of(waiting).await.unwrap().messages(), ["hello slow"]);
    assert_eq!(client.call(SAY_HELLO, hello("ann")).await.code(), Code::Ok);
}

#[tokio::test(start_paused = true)]
async fn a_request_cut_off_within_a_message_is_no_request() {
    let world = World::plain().await;
    let message = hello("ann");
    let answer = world.connect().await.call(SAY_HELLO, message.slice(..message.len() - 1)).await;
    assert_eq!(answer.code(), Code::Internal);
    let answer = world.connect().await.call(SAY_HELLO, Bytes::new()).await;
    assert_eq!(answer.code(), Code::Internal);
}

#[tokio::test(start_paused = true)]
async fn a_handler_reaches_its_peer() {
    let world = World::plain().await;
    let answer = world.connect().await.call(SAY_HELLO, hello("peer")).await;
    assert_eq!(answer.messages(), [format!("{:?}", thalweg::io::PeerInfo::default())]);
}
