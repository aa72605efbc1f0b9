//! What a server may answer, well-formed or not, frame by frame.

use thalweg::error::{LocalError, Processed, Who, WireError, WireErrorKind};
use thalweg_proto::demo::HelloReply;
use thalweg_testkit::{
    peer::{Head, Peer},
    wire::frame::{END_HEADERS, END_STREAM, Frame, Kind},
};
use tonic::{Code, Status};

use crate::support::{
    call,
    fleet::ONE,
    hello, named,
    script::{CANCEL, END, HEAD, Outcome, Script, answer, reply},
    told,
};

/// A call on a channel of its own that has reached the server.
async fn call_once() -> (Outcome, Peer, Head) {
    Script::new().call().await
}

/// The outcome of a call that is answered by these headers alone.
async fn answered_by(fields: &[(&str, &str)]) -> Result<HelloReply, Status> {
    let (outcome, mut peer, head) = call_once().await;
    peer.send_trailers(head.stream, fields).await;
    outcome.await.unwrap()
}

/// The outcome of a call that is answered by a good head, a message, and these trailers.
async fn ended_by(trailers: &[(&str, &str)]) -> Result<HelloReply, Status> {
    let (outcome, mut peer, head) = call_once().await;
    peer.send_headers(head.stream, HEAD).await;
    peer.send_message(head.stream, &reply("hello")).await;
    peer.send_trailers(head.stream, trailers).await;
    outcome.await.unwrap()
}

fn not_grpc(text: &str) -> Option<LocalError> {
    Some(LocalError::NotGrpc(text.into()))
}

#[tokio::test(start_paused = true)]
async fn headers_alone_may_be_all_of_an_answer() {
    let trailers_only = [HEAD, &[("grpc-status", "5"), ("grpc-message", "no%20one"), ("x-hint", "ask again")]].concat();
    let status = answered_by(&trailers_only).await.unwrap_err();
    assert_eq!(told(&status), (Code::NotFound, "no one", None));
    assert_eq!(status.metadata().get("x-hint").unwrap(), "ask again");

    let status = answered_by(&[HEAD, END].concat()).await.unwrap_err();
    assert_eq!(status.code(), Code::Internal, "OK without a message is no answer to a unary call: {status:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_without_trailers_is_no_success() {
    let (outcome, mut peer, head) = call_once().await;
    peer.send_headers(head.stream, HEAD).await;
    peer.send_message(head.stream, &reply("hello")).await;
    peer.send_end(head.stream).await;
    let text = "the server closed the stream without sending trailers";
    assert_eq!(told(&outcome.await.unwrap().unwrap_err()), (Code::Internal, text, not_grpc(text)));
}

#[tokio::test(start_paused = true)]
async fn trailers_without_a_status_are_no_success() {
    let text = "the server's trailers have no grpc-status";
    assert_eq!(told(&ended_by(&[("x-cost", "1")]).await.unwrap_err()), (Code::Unknown, text, not_grpc(text)));
}

#[tokio::test(start_paused = true)]
async fn a_status_that_is_no_number_is_unknown() {
    for wrong in ["", "fine", "-1", "17", "99999999999999999999", "0x0"] {
        let status = ended_by(&[("grpc-status", wrong), ("grpc-message", "hm")]).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::Unknown, "hm"), "{wrong:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_within_a_message_is_no_success() {
    for cut in [1, 4, 5, 9] {
        let (outcome, mut peer, head) = call_once().await;
        peer.send_headers(head.stream, HEAD).await;
        peer.send_data(head.stream, &[0, 0, 0, 0, 9, 10, 7, b'h', b'e'][..cut]).await;
        peer.send_trailers(head.stream, END).await;
        let text = "the server ended the stream in the middle of a message";
        assert_eq!(told(&outcome.await.unwrap().unwrap_err()), (Code::Internal, text, not_grpc(text)));
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_grpc_maps_its_http_status() {
    for (http, code) in [
        ("400", Code::Internal),
        ("401", Code::Unauthenticated),
        ("403", Code::PermissionDenied),
        ("404", Code::Unimplemented),
        ("429", Code::Unavailable),
        ("502", Code::Unavailable),
        ("503", Code::Unavailable),
        ("504", Code::Unavailable),
        ("200", Code::Unknown),
        ("302", Code::Unknown),
        ("500", Code::Unknown),
    ] {
        let mut script = Script::new();
        let (outcome, mut peer, head) = script.call().await;
        peer.send_headers(head.stream, &[(":status", http), ("content-type", "text/html")]).await;
        let status = outcome.await.unwrap().unwrap_err();
        let reason = http::StatusCode::from_bytes(http.as_bytes()).unwrap();
        let text = format!("the answer is not gRPC's: HTTP status {reason}, content-type text/html");
        assert_eq!(told(&status), (code, &*text, not_grpc(&text)));
        peer.expect_message(head.stream).await;
        assert_eq!(peer.expect_reset(head.stream).await, CANCEL, "the page itself is not wanted");
    }
}

#[tokio::test(start_paused = true)]
async fn a_content_type_that_is_not_grpcs_is_refused_and_its_variants_are_not() {
    for (given, shown) in [(None, "none"), (Some("application/json"), "application/json")] {
        let fields: Vec<_> =
            [(":status", "200")].into_iter().chain(given.map(|given| ("content-type", given))).collect();
        let (outcome, mut peer, head) = call_once().await;
        peer.send_headers(head.stream, &fields).await;
        let text = format!("the answer is not gRPC's: HTTP status 200 OK, content-type {shown}");
        assert_eq!(told(&outcome.await.unwrap().unwrap_err()), (Code::Unknown, &*text, not_grpc(&text)));
    }
    for good in ["application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8"] {
        let (outcome, mut peer, head) = call_once().await;
        peer.send_headers(head.stream, &[(":status", "200"), ("content-type", good)]).await;
        peer.send_message(head.stream, &reply("hello")).await;
        peer.send_trailers(head.stream, END).await;
        assert_eq!(outcome.await.unwrap().unwrap().message, "hello");
    }
}

#[tokio::test(start_paused = true)]
async fn a_grpc_status_counts_more_than_the_http_status() {
    let fields = [(":status", "503"), ("content-type", "text/html"), ("grpc-status", "8"), ("grpc-message", "full")];
    assert_eq!(told(&answered_by(&fields).await.unwrap_err()), (Code::ResourceExhausted, "full", None));
}

#[tokio::test(start_paused = true)]
async fn malformed_status_details_are_dropped_and_nothing_panics() {
    for wrong in ["!", "not base64!", "a", "=", "YWJj=", "YR", "YWJ", "YWI=YWI="] {
        let end = [("grpc-status", "5"), ("grpc-message", "no one"), ("grpc-status-details-bin", wrong)];
        for status in [answered_by(&[HEAD, &end].concat()).await, ended_by(&end).await] {
            let status = status.unwrap_err();
            assert_eq!((told(&status), status.details()), ((Code::NotFound, "no one", None), &b""[..]), "{wrong:?}");
        }
    }
    for (good, details) in [("YWJj", "abc"), ("YWI=", "ab"), ("YWI", "ab"), ("", "")] {
        let end = [("grpc-status", "5"), ("grpc-status-details-bin", good)];
        assert_eq!(ended_by(&end).await.unwrap_err().details(), details.as_bytes());
    }
}

#[tokio::test(start_paused = true)]
async fn a_malformed_message_keeps_its_code_and_what_can_be_read_of_it() {
    for (sent, read) in [
        ("100%25", "100%"),
        ("100%", "100%"),
        ("%zz%4", "%zz%4"),
        ("se%C3%B1or", "señor"),
        ("broken %FF here", "broken \u{fffd} here"),
        ("%C3", "\u{fffd}"),
    ] {
        let end = [("grpc-status", "5"), ("grpc-message", sent)];
        assert_eq!(told(&ended_by(&end).await.unwrap_err()), (Code::NotFound, read, None));
        let status = answered_by(&[HEAD, &end].concat()).await.unwrap_err();
        assert_eq!(told(&status), (Code::NotFound, read, None));
    }
}

#[tokio::test(start_paused = true)]
async fn informational_responses_are_passed_over() {
    let (outcome, mut peer, head) = call_once().await;
    peer.send_headers(head.stream, &[(":status", "100")]).await;
    peer.send_headers(head.stream, &[(":status", "103"), ("link", "</style.css>")]).await;
    answer(&mut peer, head.stream, "hello").await;
    assert_eq!(outcome.await.unwrap().unwrap().message, "hello");
}

#[tokio::test(start_paused = true)]
async fn frames_and_settings_that_nobody_knows_are_passed_over() {
    let mut script = Script::new();
    let outcome = call(&script.channel, named("ann"));
    let mut peer = script.accept_with(&[(0xfff0, 7)]).await;
    let stream = peer.expect_headers().await.stream;
    peer.send(&Frame::new(Kind::Unknown(0xee), 0xff, stream, "whatever")).await;
    answer(&mut peer, stream, "hello").await;
    assert_eq!(outcome.await.unwrap().unwrap().message, "hello");
}

#[tokio::test(start_paused = true)]
async fn a_message_in_many_frames_is_put_together() {
    let (outcome, mut peer, head) = call_once().await;
    peer.send_headers(head.stream, HEAD).await;
    let message = reply("hello");
    let prefix = [0, 0, 0, 0, message.len() as u8];
    for byte in prefix.iter().chain(&message) {
        peer.send_data(head.stream, &[*byte]).await;
        peer.send_data(head.stream, &[]).await;
    }
    peer.send_trailers(head.stream, END).await;
    assert_eq!(outcome.await.unwrap().unwrap().message, "hello");
}

#[tokio::test(start_paused = true)]
async fn a_reset_ends_the_call_with_the_code_that_grpc_gives_it() {
    // Refused streams are tried again, and have tests of their own.
    for (reset, name, code) in [
        (0, "NO_ERROR", Code::Internal),
        (1, "PROTOCOL_ERROR", Code::Internal),
        (2, "INTERNAL_ERROR", Code::Internal),
        (3, "FLOW_CONTROL_ERROR", Code::Internal),
        (4, "SETTINGS_TIMEOUT", Code::Internal),
        (6, "FRAME_SIZE_ERROR", Code::Internal),
        (8, "CANCEL", Code::Cancelled),
        (9, "COMPRESSION_ERROR", Code::Internal),
        (10, "CONNECT_ERROR", Code::Internal),
        (11, "ENHANCE_YOUR_CALM", Code::ResourceExhausted),
        (12, "INADEQUATE_SECURITY", Code::PermissionDenied),
        (99, "an unknown error code", Code::Unknown),
    ] {
        let (outcome, mut peer, head) = call_once().await;
        peer.reset(head.stream, reset).await;
        let wire = WireError { who: Who::Peer, processed: Processed::Maybe, kind: WireErrorKind::Reset(reset) };
        let text = format!("{ONE}: stream reset with {name}");
        assert_eq!(told(&outcome.await.unwrap().unwrap_err()), (code, &*text, Some(LocalError::Wire(wire))));
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_came_before_a_reset_counts() {
    for trailers_only in [false, true] {
        let (outcome, mut peer, head) = call_once().await;
        let end = [("grpc-status", "9"), ("grpc-message", "not now")];
        if trailers_only {
            peer.send_trailers(head.stream, &[HEAD, &end].concat()).await;
        } else {
            peer.send_headers(head.stream, HEAD).await;
            peer.send_trailers(head.stream, &end).await;
        }
        peer.reset(head.stream, 0).await;
        assert_eq!(told(&outcome.await.unwrap().unwrap_err()), (Code::FailedPrecondition, "not now", None));
    }
}

#[tokio::test(start_paused = true)]
async fn headers_beyond_the_limit_end_their_call_alone_and_are_named() {
    let mut script = Script::with(|builder| {
        builder.http2(thalweg::transport::options::Http2Options { max_header_list_size: 2000, ..Default::default() })
    });
    let (outcome, mut peer, head) = script.call().await;
    let long = "x".repeat(3000);
    peer.send_headers(head.stream, &[HEAD, &[("x-long", &long)]].concat()).await;
    let status = outcome.await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.message().contains("is larger than max_header_list_size (2000 bytes)"), "{status:?}");
    assert!(matches!(LocalError::of(&status), Some(LocalError::MetadataTooLarge { limit: 2000, .. })), "{status:?}");

    let next = call(&script.channel, named("bob"));
    let stream = peer.expect_headers().await.stream;
    answer(&mut peer, stream, "hello").await;
    assert_eq!(next.await.unwrap().unwrap().message, "hello");
}

#[tokio::test(start_paused = true)]
async fn trailers_beyond_the_limit_end_their_call_and_are_named() {
    let mut script = Script::with(|builder| {
        builder.http2(thalweg::transport::options::Http2Options { max_header_list_size: 2000, ..Default::default() })
    });
    let (outcome, mut peer, head) = script.call().await;
    let long = "x".repeat(3000);
    peer.send_headers(head.stream, &[HEAD].concat()).await;
    peer.send_trailers(head.stream, &[("x-long", &*long), ("grpc-status", "0")]).await;
    let status = outcome.await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(matches!(LocalError::of(&status), Some(LocalError::MetadataTooLarge { limit: 2000, .. })), "{status:?}");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_breaks_http2_ends_the_call_and_the_next_one_gets_a_new_connection() {
    let mut script = Script::new();
    let (outcome, mut peer, head) = script.call().await;
    // A header block that points into an empty table.
    peer.send(&Frame::new(Kind::Headers, END_HEADERS | END_STREAM, head.stream, vec![0xff, 0x7f])).await;
    let status = outcome.await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().starts_with(&format!("{ONE}: protocol error: ")), "{status:?}");
    assert!(matches!(LocalError::of(&status), Some(LocalError::Wire(wire)) if wire.who == Who::Local));
    let next = call(&script.channel, named("bob"));
    let mut peer = script.accept().await;
    let stream = peer.expect_headers().await.stream;
    answer(&mut peer, stream, "hello").await;
    assert_eq!(next.await.unwrap().unwrap().message, "hello");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_speaks_http1_is_no_backend() {
    let mut script = Script::new();
    let channel = script.channel.clone();
    let outcome = tokio::spawn(async move { hello(&channel, "ann").await });
    let mut io = script.listener.accept().await.io;
    tokio::io::AsyncWriteExt::write_all(&mut io, b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        .await
        .unwrap();
    let status = outcome.await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    let expected =
        format!("no backend of ipv4:{ONE} can be used: {ONE} HTTP/2 handshake over plaintext: protocol error: ");
    assert!(status.message().starts_with(&expected), "{status:?}");
    assert!(status.message().contains("(does the server expect TLS?)"), "{status:?}");
    assert_eq!(LocalError::of(&status), Some(&LocalError::NoBackend));
}
