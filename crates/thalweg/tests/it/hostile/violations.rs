//! What servers do wrong, section by section of RFC 9113, and what our client makes of it: the call's status in words, the
//! frame that tells the server, and which connection the next call takes.

use thalweg_testkit::{
    peer::Peer,
    wire::frame::{ACK, END_HEADERS, END_STREAM, Kind, PADDED, PRIORITY},
};
use tonic::Code;

use super::bytes::{
    block, data, frame, go_away, head_alone, headers, ping, reset, settings, settings_ack, window_update,
};
use crate::support::{
    call,
    fleet::ONE,
    named,
    script::{END, HEAD, Script, answer, reply},
    settle,
};

/// HTTP/2's error codes.
const PROTOCOL: u32 = 1;
const FLOW_CONTROL: u32 = 3;
const CLOSED: u32 = 5;
const SIZE: u32 = 6;
const COMPRESSION: u32 = 9;

/// What a server does wrong, and what it ends: the connection with the call on it, or that call alone.
struct Case {
    name: &'static str,
    /// One after the other: each is heard before the next is said.
    sent: Vec<Vec<u8>>,
    ends: Ends,
}

enum Ends {
    /// GOAWAY with this code and this text; the call fails with the text, and the next one gets a new connection.
    Connection(u32, String),
    /// RST_STREAM with this code; the call fails with this text, and the connection goes on.
    Call(u32, String),
    /// RST_STREAM with this code, after the call has ended well.
    Nothing(u32),
}

fn connection(name: &'static str, sent: &[Vec<u8>], code: u32, text: &str) -> Case {
    Case { name, sent: sent.to_vec(), ends: Ends::Connection(code, text.to_owned()) }
}

fn stream(name: &'static str, sent: &[Vec<u8>], code: u32, text: &str) -> Case {
    Case { name, sent: sent.to_vec(), ends: Ends::Call(code, text.to_owned()) }
}

/// The head of a good response on the first call's stream.
fn good_head() -> Vec<u8> {
    headers(1, 0, HEAD)
}

fn good_end() -> Vec<u8> {
    headers(1, END_STREAM, END)
}

/// A whole good response to the first call.
fn good() -> Vec<u8> {
    let reply = reply("hello");
    let message = [&[0, 0, 0, 0, reply.len() as u8][..], &reply].concat();
    [good_head(), data(1, 0, &message), good_end()].concat()
}

async fn play_all(cases: Vec<Case>) {
    for case in cases {
        play(case).await;
    }
}

/// One case, on a channel of its own.
async fn play(Case { name, sent, ends }: Case) {
    let mut script = Script::new();
    let (outcome, mut peer, head) = script.call().await;
    peer.expect_message(head.stream).await;
    for piece in sent {
        peer.storm(&piece).await;
        settle().await;
    }
    let outcome = outcome.await.unwrap();
    let told = outcome.as_ref().map(|reply| &*reply.message).map_err(|status| (status.code(), status.message()));
    match ends {
        Ends::Connection(code, text) => {
            let message = format!("{ONE}: protocol error: {text}");
            assert_eq!(told, Err((Code::Unavailable, &*message)), "{name}");
            let away = peer.expect_go_away().await;
            let said = String::from_utf8_lossy(&away.debug);
            assert_eq!((away.code, away.last_stream, &*said), (code, 0, &*text), "{name}");
            peer.expect_close().await;
            let next = call(&script.channel, named("bob"));
            let mut peer = script.accept().await;
            greet(&mut peer).await;
            assert_eq!(next.await.unwrap().unwrap().message, "hello bob", "{name}");
        }
        Ends::Call(code, text) => {
            let message = format!("{ONE}: protocol error: {text}");
            assert_eq!(told, Err((Code::Internal, &*message)), "{name}");
            expect_life(&script, &mut peer, code, name).await;
        }
        Ends::Nothing(code) => {
            assert_eq!(told, Ok("hello"), "{name}");
            expect_life(&script, &mut peer, code, name).await;
        }
    }
}

/// The first stream was reset with this code, and the connection is still in use.
async fn expect_life(script: &Script, peer: &mut Peer, code: u32, name: &str) {
    assert_eq!(peer.expect_reset(1).await, code, "{name}");
    let next = call(&script.channel, named("bob"));
    greet(peer).await;
    assert_eq!(next.await.unwrap().unwrap().message, "hello bob", "{name}");
    let [connection] = script.channel.connection_stats()[..] else { panic!("one connection") };
    assert_eq!((connection.counters.stream_errors, connection.counters.resets_sent), (1, 1), "{name}");
    assert_eq!(script.listener.host().attempts(), 1, "{name}");
}

async fn greet(peer: &mut Peer) {
    let stream = peer.expect_headers().await.stream;
    answer(peer, stream, "hello bob").await;
}

#[tokio::test(start_paused = true)]
async fn frames_of_streams_have_their_sizes_and_their_places() {
    play_all(vec![
        connection(
            "4.2: a frame that is too large",
            &[head_alone(Kind::Data, 16_385, 1)],
            SIZE,
            "DATA on stream 1 has 16385 bytes of payload, above 16384",
        ),
        connection(
            "6.1: DATA on the connection",
            &[data(0, 0, b"x")],
            PROTOCOL,
            "DATA: it belongs to a stream and names none",
        ),
        connection(
            "6.1: more padding than payload",
            &[good_head(), data(1, PADDED, &[9, 0])],
            PROTOCOL,
            "DATA on stream 1: 9 bytes of padding don't fit into a payload of 2",
        ),
        connection(
            "6.1: padding without its length",
            &[good_head(), data(1, PADDED, &[])],
            SIZE,
            "DATA on stream 1: it ends within its padding",
        ),
        connection(
            "6.2: HEADERS on the connection",
            &[headers(0, 0, HEAD)],
            PROTOCOL,
            "HEADERS: it belongs to a stream and names none",
        ),
        connection(
            "6.2: more padding than block",
            &[frame(Kind::Headers, END_HEADERS | PADDED, 1, &[9, 0x88])],
            PROTOCOL,
            "HEADERS on stream 1: 9 bytes of padding don't fit into a payload of 2",
        ),
        connection(
            "6.2: half a priority",
            &[frame(Kind::Headers, END_HEADERS | PRIORITY, 1, &[0; 3])],
            SIZE,
            "HEADERS on stream 1: it ends within its priority",
        ),
        connection(
            "6.3: PRIORITY on the connection",
            &[frame(Kind::Priority, 0, 0, &[0; 5])],
            PROTOCOL,
            "PRIORITY: it belongs to a stream and names none",
        ),
        stream(
            "6.3: PRIORITY of four bytes",
            &[frame(Kind::Priority, 0, 1, &[0; 4])],
            SIZE,
            "PRIORITY on stream 1: it has 4 bytes of payload instead of 5",
        ),
        connection(
            "6.4: RST_STREAM on the connection",
            &[reset(0, 8)],
            PROTOCOL,
            "RST_STREAM: it belongs to a stream and names none",
        ),
        connection(
            "6.4: RST_STREAM of three bytes",
            &[frame(Kind::RstStream, 0, 1, &[0; 3])],
            SIZE,
            "RST_STREAM on stream 1: it has 3 bytes of payload instead of 4",
        ),
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn frames_of_the_connection_have_their_sizes_and_name_no_stream() {
    play_all(vec![
        connection(
            "6.7: PING on a stream",
            &[frame(Kind::Ping, 0, 1, &[0; 8])],
            PROTOCOL,
            "PING on stream 1: it belongs to the connection and names a stream",
        ),
        connection(
            "6.7: PING of seven bytes",
            &[frame(Kind::Ping, 0, 0, &[0; 7])],
            SIZE,
            "PING: it has 7 bytes of payload instead of 8",
        ),
        connection(
            "6.8: GOAWAY on a stream",
            &[frame(Kind::GoAway, 0, 1, &[0; 8])],
            PROTOCOL,
            "GOAWAY on stream 1: it belongs to the connection and names a stream",
        ),
        connection(
            "6.8: GOAWAY of seven bytes",
            &[frame(Kind::GoAway, 0, 0, &[0; 7])],
            SIZE,
            "GOAWAY: it has 7 bytes of payload instead of at least 8",
        ),
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn settings_are_well_formed() {
    let setting = |id, value| [settings(&[(id, value)])];
    play_all(vec![
        connection(
            "6.5: SETTINGS on a stream",
            &[frame(Kind::Settings, 0, 1, &[])],
            PROTOCOL,
            "SETTINGS on stream 1: it belongs to the connection and names a stream",
        ),
        connection(
            "6.5: SETTINGS of five bytes",
            &[frame(Kind::Settings, 0, 0, &[0; 5])],
            SIZE,
            "SETTINGS: 5 bytes of payload are no multiple of 6",
        ),
        connection(
            "6.5: an acknowledgement with a payload",
            &[frame(Kind::Settings, ACK, 0, &[0; 6])],
            SIZE,
            "SETTINGS: it has 6 bytes of payload instead of 0",
        ),
        connection("6.5.2: push from a server", &setting(2, 1), PROTOCOL, "SETTINGS: a server cannot enable push"),
        connection(
            "6.5.2: push that is neither on nor off",
            &setting(2, 2),
            PROTOCOL,
            "SETTINGS: SETTINGS_ENABLE_PUSH is 2, neither 0 nor 1",
        ),
        connection(
            "6.5.2: a window of 2^31",
            &setting(4, 1 << 31),
            FLOW_CONTROL,
            "SETTINGS: SETTINGS_INITIAL_WINDOW_SIZE is 2147483648, above 2^31-1",
        ),
        connection(
            "6.5.2: frames that are too small",
            &setting(5, 16_383),
            PROTOCOL,
            "SETTINGS: SETTINGS_MAX_FRAME_SIZE is 16383, not within 2^14 and 2^24-1",
        ),
        connection(
            "6.5.2: frames that are too large",
            &setting(5, 1 << 24),
            PROTOCOL,
            "SETTINGS: SETTINGS_MAX_FRAME_SIZE is 16777216, not within 2^14 and 2^24-1",
        ),
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn streams_are_those_that_the_client_opened() {
    play_all(vec![
        connection(
            "5.1: HEADERS on an idle stream",
            &[headers(3, 0, HEAD)],
            PROTOCOL,
            "HEADERS on stream 3, which is idle",
        ),
        connection("5.1: DATA on an idle stream", &[data(3, 0, b"x")], PROTOCOL, "DATA on stream 3, which is idle"),
        connection(
            "5.1: RST_STREAM on an idle stream",
            &[reset(3, 8)],
            PROTOCOL,
            "RST_STREAM on stream 3, which is idle",
        ),
        connection(
            "5.1: WINDOW_UPDATE on an idle stream",
            &[window_update(3, 1)],
            PROTOCOL,
            "WINDOW_UPDATE on stream 3, which is idle",
        ),
        connection(
            "5.1.1: a stream of the server's",
            &[headers(2, 0, HEAD)],
            PROTOCOL,
            "HEADERS on stream 2, which is idle",
        ),
        connection("5.1.1: DATA on an even stream", &[data(2, 0, b"x")], PROTOCOL, "DATA on stream 2, which is idle"),
        connection(
            "6.6: a push",
            &[frame(Kind::PushPromise, END_HEADERS, 1, &[0, 0, 0, 2])],
            PROTOCOL,
            "PUSH_PROMISE on stream 1: servers take no pushes, and clients have turned them off",
        ),
        connection(
            "6.8: GOAWAY that takes back what it said",
            &[go_away(1, 0), go_away(3, 0)],
            PROTOCOL,
            "GOAWAY: the last stream is 3, after 1 was said",
        ),
        Case { name: "5.1: DATA after the end", sent: vec![good(), data(1, 0, b"x")], ends: Ends::Nothing(CLOSED) },
        Case { name: "5.1: HEADERS after the end", sent: vec![good(), good_end()], ends: Ends::Nothing(CLOSED) },
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn header_blocks_are_whole_and_can_be_decoded() {
    let begun = || frame(Kind::Headers, 0, 1, &[0x88]);
    let rest = |stream| frame(Kind::Continuation, END_HEADERS, stream, &[]);
    let alone = "CONTINUATION on stream 1 without a header block to continue";
    let within = |what: &str| format!("{what} within the header block of stream 1");
    play_all(vec![
        connection("6.10: CONTINUATION alone", &[rest(1)], PROTOCOL, alone),
        connection("6.10: CONTINUATION after the block", &[good_head(), rest(1)], PROTOCOL, alone),
        connection(
            "6.10: CONTINUATION of another stream",
            &[begun(), rest(3)],
            PROTOCOL,
            &within("CONTINUATION on stream 3"),
        ),
        connection("6.10: CONTINUATION of no stream", &[begun(), rest(0)], PROTOCOL, &within("CONTINUATION")),
        connection("4.3: DATA within a block", &[begun(), data(1, 0, b"x")], PROTOCOL, &within("DATA on stream 1")),
        connection("4.3: HEADERS within a block", &[begun(), good_head()], PROTOCOL, &within("HEADERS on stream 1")),
        connection("4.3: PING within a block", &[begun(), ping()], PROTOCOL, &within("PING")),
        connection("4.3: SETTINGS within a block", &[begun(), settings_ack()], PROTOCOL, &within("SETTINGS")),
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn header_blocks_that_cannot_be_decoded_end_the_connection() {
    let blocks: [(&str, &[u8]); 9] = [
        ("an index of 0", &[0x80]),
        ("an index beyond both tables", &[0xc0]),
        ("a name's index beyond both tables", &[0x7f, 0x40, 1, b'x']),
        ("a number that never ends", &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        ("a number that is cut short", &[0xff]),
        ("a text that is cut short", &[0x00, 0x05, b'a']),
        ("a Huffman code that ends in too much padding", &[0x00, 0x82, 0xff, 0xff, 0x00]),
        ("a table larger than allowed", &[0x3f, 0xe2, 0x1f, 0x88]),
        ("a table's size after a field", &[0x88, 0x20]),
    ];
    for (name, bytes) in blocks {
        let mut script = Script::new();
        let (outcome, mut peer, _) = script.call().await;
        peer.storm(&block(1, 0, bytes)).await;
        let status = outcome.await.unwrap().unwrap_err();
        let away = peer.expect_go_away().await;
        let said = std::str::from_utf8(&away.debug).unwrap();
        assert_eq!((away.code, status.code()), (COMPRESSION, Code::Unavailable), "{name}");
        assert_eq!(status.message(), format!("{ONE}: protocol error: {said}"), "{name}");
        assert!(said.starts_with("HPACK: "), "{name}: {said}");
        peer.expect_close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn responses_are_well_formed() {
    let wrong = |rule: &str| format!("HEADERS on stream 1: {rule}");
    let malformed = |rule: &str| wrong(&format!("malformed response: {rule}"));
    let with = |fields: &[(&str, &str)]| headers(1, 0, &[HEAD, fields].concat());
    let alone = |name, fields: &[(&str, &str)], text: &str| stream(name, &[headers(1, 0, fields)], PROTOCOL, text);
    let fields = |name, fields: &[(&str, &str)], text: &str| stream(name, &[with(fields)], PROTOCOL, text);
    let depends_on_itself = [&[0, 0, 0, 1, 16][..], &[0x88]].concat();
    play_all(vec![
        stream("8.1: two heads", &[good_head(), good_head()], PROTOCOL, &wrong("trailers that don't end the stream")),
        stream(
            "8.1: trailers that go on",
            &[good_head(), headers(1, 0, END)],
            PROTOCOL,
            &wrong("trailers that don't end the stream"),
        ),
        fields("8.2: a name in upper case", &[("X-Long", "1")], &malformed("a field name with upper-case letters")),
        fields("8.2.2: connection", &[("connection", "close")], &malformed("a field of HTTP/1.1: connection")),
        fields(
            "8.2.2: transfer-encoding",
            &[("transfer-encoding", "chunked")],
            &malformed("a field of HTTP/1.1: transfer-encoding"),
        ),
        alone(
            "8.3: an unknown pseudo-header",
            &[(":status", "200"), (":version", "2")],
            &malformed("an unknown pseudo-header field has no place here"),
        ),
        alone("8.3.2: no :status", &HEAD[1..], &malformed("no :status")),
        alone(
            "8.3.2: a :status that is none",
            &[(":status", "ok")],
            &malformed(":status is no number of three digits"),
        ),
        alone("8.3: a request", &[(":method", "GET"), (":status", "200")], &malformed(":method has no place here")),
        alone(
            "8.3: :status at the end",
            &[("a", "b"), (":status", "200")],
            &malformed(":status after a regular field"),
        ),
        alone("8.3: two :status", &[(":status", "200"), (":status", "200")], &malformed("two :status")),
        stream(
            "8.1: trailers with :status",
            &[good_head(), headers(1, END_STREAM, &[(":status", "200")])],
            PROTOCOL,
            &wrong("malformed trailers: :status has no place here"),
        ),
        stream(
            "8.1: 100 that ends the stream",
            &[headers(1, END_STREAM, &[(":status", "100")])],
            PROTOCOL,
            &wrong("an interim response 100 that ends the stream"),
        ),
        alone("8.6: 101", &[(":status", "101")], &wrong("an interim response 101 that HTTP/2 does not have")),
        stream(
            "5.3.1: a stream that depends on itself",
            &[block(1, PRIORITY, &depends_on_itself)],
            PROTOCOL,
            &wrong("the stream depends on itself"),
        ),
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn bodies_follow_their_heads_and_are_as_long_as_these_say() {
    let with_length = |length| headers(1, 0, &[HEAD, &[("content-length", length)]].concat());
    play_all(vec![
        stream(
            "8.1: DATA before the head",
            &[data(1, 0, b"x")],
            PROTOCOL,
            "DATA on stream 1: it comes before the head of the response",
        ),
        stream(
            "8.1.1: a body that is too long",
            &[with_length("3"), data(1, 0, b"abcd")],
            PROTOCOL,
            "DATA on stream 1: the body is not as long as its content-length",
        ),
        stream(
            "8.1.1: a body that is too short",
            &[with_length("9"), data(1, 0, b"abcd"), good_end()],
            PROTOCOL,
            "HEADERS on stream 1: the body is shorter than its content-length",
        ),
        stream(
            "8.1.1: a length that is none",
            &[with_length("-1")],
            PROTOCOL,
            "HEADERS on stream 1: malformed response: a content-length that is no number",
        ),
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn windows_are_kept() {
    const LARGEST: u32 = (1 << 31) - 1;
    play_all(vec![
        connection(
            "6.9: a connection's window that grows by nothing",
            &[window_update(0, 0)],
            PROTOCOL,
            "WINDOW_UPDATE: it adds nothing to the window",
        ),
        stream(
            "6.9: a stream's window that grows by nothing",
            &[window_update(1, 0)],
            PROTOCOL,
            "WINDOW_UPDATE on stream 1: it adds nothing to the window",
        ),
        connection(
            "6.9: WINDOW_UPDATE of five bytes",
            &[frame(Kind::WindowUpdate, 0, 0, &[0; 5])],
            SIZE,
            "WINDOW_UPDATE: it has 5 bytes of payload instead of 4",
        ),
        connection(
            "6.9.1: a connection's window that is too large",
            &[window_update(0, LARGEST)],
            FLOW_CONTROL,
            "WINDOW_UPDATE by 2147483647: the window of the connection would exceed 2^31-1",
        ),
        stream(
            "6.9.1: a stream's window that is too large",
            &[window_update(1, LARGEST)],
            FLOW_CONTROL,
            "WINDOW_UPDATE by 2147483647: the window of stream 1 would exceed 2^31-1",
        ),
        connection(
            "6.9.2: SETTINGS that make a window too large",
            &[window_update(1, 100), settings(&[(4, LARGEST)])],
            FLOW_CONTROL,
            "SETTINGS: an initial window of 2147483647 makes that of stream 1 exceed 2^31-1",
        ),
    ])
    .await;
}
