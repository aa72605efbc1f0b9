//! The scripted peer against another, and against what doesn't go by the script.

use tokio::io::duplex;

use super::*;

fn pair() -> (Peer, Peer) {
    let (a, b) = duplex(1 << 20);
    (Peer::new(a), Peer::new(b))
}

/// A client and a server that have greeted each other.
async fn greeted() -> (Peer, Peer) {
    let (mut client, mut server) = pair();
    client.send_preface(&[(3, 100)]).await;
    assert_eq!(server.expect_preface().await, [(3, 100)]);
    server.send_settings(&[(4, 65_536)]).await;
    assert_eq!(client.expect_settings().await, [(4, 65_536)]);
    client.expect_settings_ack().await;
    server.expect_settings_ack().await;
    (client, server)
}

#[tokio::test(start_paused = true)]
async fn a_call_reads_as_a_transcript() {
    let (mut client, mut server) = greeted().await;
    let stream = client.send_request("/s/m", &[("grpc-timeout", "1S")]).await;
    client.send_message(stream, b"hello").await;
    client.send_end(stream).await;

    let call = server.expect_headers().await;
    assert_eq!((call.headers.get(":path"), call.headers.get("grpc-timeout")), (Some("/s/m"), Some("1S")));
    assert_eq!(server.expect_message(call.stream).await, "hello");
    server.expect_end(call.stream).await;
    server.send_headers(call.stream, &[(":status", "200")]).await;
    server.send_message(call.stream, &[7; 100_000]).await;
    server.send_trailers(call.stream, &[("grpc-status", "0")]).await;

    assert!(!client.expect_headers_on(stream).await.end);
    assert_eq!(client.expect_message(stream).await, vec![7; 100_000]);
    assert!(client.expect_headers_on(stream).await.end);
    client.expect_end(stream).await;
    let received: u32 = 10; // the prefix and "hello"
    assert_eq!(client.expect_window_update(0).await, received);
    assert_eq!(client.transcript()[0], "> 24 raw bytes");
}

#[tokio::test(start_paused = true)]
async fn frames_of_other_streams_are_kept_until_they_are_asked_for() {
    let (mut client, mut server) = greeted().await;
    let (one, two) = (client.send_request("/s/one", &[]).await, client.send_request("/s/two", &[]).await);
    client.send_data(one, b"a").await;
    client.send_data(two, b"b").await;
    client.reset(one, 8).await;
    assert_eq!(server.expect_headers_on(two).await.headers.get(":path"), Some("/s/two"));
    assert_eq!(server.expect_data(two).await.bytes, "b");
    assert_eq!(server.expect_headers().await.stream, one);
    assert_eq!(server.expect_data(one).await.bytes, "a");
    assert_eq!(server.expect_reset(one).await, 8);
}

#[tokio::test(start_paused = true)]
async fn pings_are_answered_unless_the_script_is_mute() {
    let (mut client, mut server) = greeted().await;
    client.ping([1; 8]).await;
    assert_eq!(server.expect_ping().await, [1; 8]);
    assert_eq!(client.expect_pong().await, [1; 8]);
    server.mute();
    client.ping([2; 8]).await;
    assert_eq!(server.expect_ping().await, [2; 8]);
    client.expect_quiet(Duration::from_secs(10)).await;
    server.pong([2; 8]).await;
    assert_eq!(client.expect_pong().await, [2; 8]);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_connection_is_announced_and_seen() {
    let (mut client, mut server) = greeted().await;
    server.go_away(3, 11, "too_many_pings").await;
    server.close().await;
    let away = client.expect_go_away().await;
    assert_eq!((away.last_stream, away.code, &away.debug[..]), (3, 11, &b"too_many_pings"[..]));
    client.expect_close().await;
    client.expect_close().await;
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_answers_nothing_until_the_other_hangs_up() {
    let (mut client, mut server) = greeted().await;
    client.ping([1; 8]).await;
    let silence = tokio::spawn(async move { server.silence().await });
    client.expect_quiet(Duration::from_secs(3600)).await;
    client.close().await;
    silence.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn large_header_blocks_are_continued() {
    let (mut client, mut server) = greeted().await;
    let long = "x".repeat(40_000);
    let stream = client.send_request("/s/m", &[("long", &long)]).await;
    let call = server.expect_headers().await;
    assert_eq!((call.stream, call.headers.get("long")), (stream, Some(&*long)));
}

#[tokio::test(start_paused = true)]
#[should_panic(
    expected = "expected DATA, and this came: Reset { stream: 1, code: 8 }\nthe transcript so far:\n  < the preface"
)]
async fn what_does_not_go_by_the_script_panics_with_the_transcript() {
    let (mut client, mut server) = greeted().await;
    let stream = client.send_request("/s/m", &[]).await;
    client.reset(stream, 8).await;
    server.expect_headers().await;
    server.expect_data(stream).await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "waited 60s for HEADERS in vain")]
async fn a_script_does_not_wait_for_ever() {
    let (_client, mut server) = greeted().await;
    server.expect_headers().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "expected quiet, and this came: Data(on stream 1 2 bytes)")]
async fn noise_is_not_quiet() {
    let (mut client, mut server) = greeted().await;
    client.send_data(1, b"no").await;
    server.expect_quiet(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "what came first is not the preface")]
async fn http_1_is_not_the_preface() {
    let (mut client, mut server) = pair();
    client.send_raw(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    server.expect_preface().await;
}

#[tokio::test(start_paused = true)]
async fn a_channel_is_answered_frame_by_frame() {
    let network = crate::network::Network::new();
    let mut listener = network.listen("scripted");
    let script = tokio::spawn(async move {
        let mut peer = Peer::new(listener.accept().await.io);
        peer.expect_preface().await;
        peer.send_settings(&[]).await;
        for answer in ["one", "two"] {
            let call = peer.expect_headers().await;
            let field = |name| call.headers.get(name);
            assert_eq!((field(":method"), field(":path")), (Some("POST"), Some("/test.Echo/Echo")));
            assert_eq!((field("te"), field("content-type")), (Some("trailers"), Some("application/grpc")));
            assert_eq!(peer.expect_message(call.stream).await, "hello");
            peer.expect_end(call.stream).await;
            peer.send_headers(call.stream, &[(":status", "200"), ("content-type", "application/grpc")]).await;
            peer.send_message(call.stream, answer.as_bytes()).await;
            peer.send_trailers(call.stream, &[("grpc-status", "0")]).await;
        }
        peer.silence().await;
    });
    let channel = thalweg::Channel::builder("passthrough:///scripted").connector(network.clone()).build().unwrap();
    let mut client = tonic::client::Grpc::new(channel);
    for answer in ["one", "two"] {
        client.ready().await.unwrap();
        let request = tonic::Request::new(bytes::Bytes::from_static(b"hello"));
        let path = http::uri::PathAndQuery::from_static("/test.Echo/Echo");
        let response = client.unary(request, path, crate::stub::RawCodec).await.unwrap();
        assert_eq!(response.into_inner(), answer);
    }
    drop(client);
    script.await.unwrap();
}
