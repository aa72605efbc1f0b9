//! What clients do wrong.

use thalweg_http2::{
    config::{Config, Role},
    error::Code,
    frame::{flags, kind},
};

use super::{Case, connection, nothing, play, stream, unheard};
use crate::bytes_of::{
    block, client_preface, data, frame, go_away, head_alone, headers, ping, request, request_with, reset, settings,
    settings_ack, trailers, window_update,
};

const NOT_WHOLE: u8 = 0;
const PADDED: u8 = flags::PADDED | flags::END_HEADERS;

fn config() -> Config {
    Config { stream_window: 70_000, connection_window: 100_000, max_header_list_size: 1000, ..Config::default() }
}

/// Plays cases after a good beginning.
fn play_all(cases: Vec<Case>) {
    let begun = |case: Case| Case { sent: [client_preface(), case.sent].concat(), ..case };
    play(Role::Server, &config(), &[], cases.into_iter().map(begun).collect());
}

#[test]
fn a_client_begins_with_the_preface_and_settings() {
    use Code as C;
    let preface = || thalweg_http2::frame::PREFACE.to_vec();
    play(
        Role::Server,
        &config(),
        &[],
        vec![
            connection(
                "HTTP/1.1",
                &[b"GET /x HTTP/1.1\r\nhost: a\r\n".to_vec()],
                C::PROTOCOL_ERROR,
                "the client does not speak HTTP/2: it sent \"GET /x HTTP/1.1\"",
            ),
            connection(
                "TLS",
                &[vec![22, 3, 1, 2, 0, 1]],
                C::PROTOCOL_ERROR,
                "the client does not speak HTTP/2: it sent \"\\x16\\x03\\x01\\x02\\x00\\x01\"",
            ),
            connection(
                "another frame first",
                &[preface(), ping()],
                C::PROTOCOL_ERROR,
                "the first frame is PING instead of SETTINGS",
            ),
            nothing("an acknowledgement first", &[preface(), settings_ack()]),
            nothing("settings first", &[client_preface(), settings_ack(), request(1, true)]),
        ],
    );
}

#[test]
fn frames_have_their_size_and_their_place() {
    use Code as C;
    play_all(vec![
        connection(
            "a frame above SETTINGS_MAX_FRAME_SIZE",
            &[request(1, false), head_alone(kind::DATA, 16_385, 1)],
            C::FRAME_SIZE_ERROR,
            "DATA on stream 1 has 16385 bytes of payload, above 16384",
        ),
        connection(
            "DATA on stream 0",
            &[data(0, false, b"x")],
            C::PROTOCOL_ERROR,
            "DATA: it belongs to a stream and names none",
        ),
        connection(
            "DATA with nothing but padding that is too long",
            &[request(1, false), frame(kind::DATA, flags::PADDED, 1, &[5, 0, 0])],
            C::PROTOCOL_ERROR,
            "DATA on stream 1: 5 bytes of padding don't fit into a payload of 3",
        ),
        connection(
            "padded DATA without a length of the padding",
            &[request(1, false), frame(kind::DATA, flags::PADDED, 1, &[])],
            C::FRAME_SIZE_ERROR,
            "DATA on stream 1: it ends within its padding",
        ),
        connection(
            "HEADERS on stream 0",
            &[headers(0, false, &request_with(&[]))],
            C::PROTOCOL_ERROR,
            "HEADERS: it belongs to a stream and names none",
        ),
        connection(
            "HEADERS with padding that is too long",
            &[frame(kind::HEADERS, PADDED, 1, &[9, 0x88])],
            C::PROTOCOL_ERROR,
            "HEADERS on stream 1: 9 bytes of padding don't fit into a payload of 2",
        ),
        connection(
            "HEADERS that end within the priority",
            &[frame(kind::HEADERS, flags::PRIORITY | flags::END_HEADERS, 1, &[0, 0, 0])],
            C::FRAME_SIZE_ERROR,
            "HEADERS on stream 1: it ends within its priority",
        ),
    ]);
}

#[test]
fn control_frames_have_their_size_and_their_place() {
    use Code as C;
    play_all(vec![
        connection(
            "RST_STREAM of 3 bytes",
            &[request(1, false), frame(kind::RST_STREAM, 0, 1, &[0; 3])],
            C::FRAME_SIZE_ERROR,
            "RST_STREAM on stream 1: it has 3 bytes of payload instead of 4",
        ),
        connection(
            "PING of 7 bytes",
            &[frame(kind::PING, 0, 0, &[0; 7])],
            C::FRAME_SIZE_ERROR,
            "PING: it has 7 bytes of payload instead of 8",
        ),
        connection(
            "PING on a stream",
            &[frame(kind::PING, 0, 1, &[0; 8])],
            C::PROTOCOL_ERROR,
            "PING on stream 1: it belongs to the connection and names a stream",
        ),
        connection(
            "GOAWAY on a stream",
            &[frame(kind::GOAWAY, 0, 1, &[0; 8])],
            C::PROTOCOL_ERROR,
            "GOAWAY on stream 1: it belongs to the connection and names a stream",
        ),
        connection(
            "GOAWAY of 7 bytes",
            &[frame(kind::GOAWAY, 0, 0, &[0; 7])],
            C::FRAME_SIZE_ERROR,
            "GOAWAY: it has 7 bytes of payload instead of at least 8",
        ),
        connection(
            "PUSH_PROMISE",
            &[request(1, false), frame(kind::PUSH_PROMISE, 0, 1, &[0, 0, 0, 2])],
            C::PROTOCOL_ERROR,
            "PUSH_PROMISE on stream 1: servers take no pushes, and clients have turned them off",
        ),
        stream(
            "PRIORITY of 4 bytes",
            &[request(1, false), frame(kind::PRIORITY, 0, 1, &[0; 4])],
            1,
            C::FRAME_SIZE_ERROR,
            "PRIORITY on stream 1: it has 4 bytes of payload instead of 5",
        ),
        connection(
            "PRIORITY of 4 bytes on an idle stream, which cannot be reset",
            &[frame(kind::PRIORITY, 0, 1, &[0; 4])],
            C::FRAME_SIZE_ERROR,
            "PRIORITY on stream 1: it has 4 bytes of payload instead of 5",
        ),
        connection(
            "PRIORITY on stream 0",
            &[frame(kind::PRIORITY, 0, 0, &[0; 5])],
            C::PROTOCOL_ERROR,
            "PRIORITY: it belongs to a stream and names none",
        ),
        nothing("PRIORITY on an idle stream", &[frame(kind::PRIORITY, 0, 9, &[0; 5])]),
        nothing("a frame of an unknown kind", &[frame(0xbe, 0xff, 77, b"anything")]),
        nothing("unknown flags", &[headers(1, false, &request_with(&[])), frame(kind::DATA, 0xf6, 1, b"x")]),
    ]);
}

#[test]
fn settings_have_values_within_their_limits() {
    use Code as C;
    play_all(vec![
        connection(
            "SETTINGS on a stream",
            &[frame(kind::SETTINGS, 0, 1, &[])],
            C::PROTOCOL_ERROR,
            "SETTINGS on stream 1: it belongs to the connection and names a stream",
        ),
        connection(
            "SETTINGS of 5 bytes",
            &[frame(kind::SETTINGS, 0, 0, &[0; 5])],
            C::FRAME_SIZE_ERROR,
            "SETTINGS: 5 bytes of payload are no multiple of 6",
        ),
        connection(
            "an acknowledgement with a payload",
            &[frame(kind::SETTINGS, flags::ACK, 0, &[0; 6])],
            C::FRAME_SIZE_ERROR,
            "SETTINGS: it has 6 bytes of payload instead of 0",
        ),
        connection(
            "ENABLE_PUSH of 2",
            &[settings(&[(2, 2)])],
            C::PROTOCOL_ERROR,
            "SETTINGS: SETTINGS_ENABLE_PUSH is 2, neither 0 nor 1",
        ),
        connection(
            "INITIAL_WINDOW_SIZE of 2^31",
            &[settings(&[(4, 1 << 31)])],
            C::FLOW_CONTROL_ERROR,
            "SETTINGS: SETTINGS_INITIAL_WINDOW_SIZE is 2147483648, above 2^31-1",
        ),
        connection(
            "MAX_FRAME_SIZE of 2^14-1",
            &[settings(&[(5, 16_383)])],
            C::PROTOCOL_ERROR,
            "SETTINGS: SETTINGS_MAX_FRAME_SIZE is 16383, not within 2^14 and 2^24-1",
        ),
        connection(
            "MAX_FRAME_SIZE of 2^24",
            &[settings(&[(5, 1 << 24)])],
            C::PROTOCOL_ERROR,
            "SETTINGS: SETTINGS_MAX_FRAME_SIZE is 16777216, not within 2^14 and 2^24-1",
        ),
        nothing("a client that could take pushes", &[settings(&[(2, 1)])]),
        nothing("an unknown parameter", &[settings(&[(99, 7)])]),
    ]);
}

#[test]
fn header_blocks_are_whole_before_anything_else_comes() {
    use Code as C;
    let begun = || frame(kind::HEADERS, NOT_WHOLE, 1, &request_with(&[]));
    let rest = |stream| frame(kind::CONTINUATION, flags::END_HEADERS, stream, &[]);
    play_all(vec![
        connection(
            "CONTINUATION first",
            &[rest(1)],
            C::PROTOCOL_ERROR,
            "CONTINUATION on stream 1 without a header block to continue",
        ),
        connection(
            "CONTINUATION after a whole block",
            &[request(1, false), rest(1)],
            C::PROTOCOL_ERROR,
            "CONTINUATION on stream 1 without a header block to continue",
        ),
        connection(
            "CONTINUATION of another stream",
            &[begun(), rest(3)],
            C::PROTOCOL_ERROR,
            "CONTINUATION on stream 3 within the header block of stream 1",
        ),
        connection(
            "DATA within a block",
            &[begun(), data(1, false, b"x")],
            C::PROTOCOL_ERROR,
            "DATA on stream 1 within the header block of stream 1",
        ),
        connection(
            "HEADERS within a block",
            &[begun(), request(3, false)],
            C::PROTOCOL_ERROR,
            "HEADERS on stream 3 within the header block of stream 1",
        ),
        connection(
            "PING within a block",
            &[begun(), ping()],
            C::PROTOCOL_ERROR,
            "PING within the header block of stream 1",
        ),
        connection(
            "an unknown frame within a block",
            &[begun(), frame(0xbe, 0, 1, &[])],
            C::PROTOCOL_ERROR,
            "a frame of an unknown kind on stream 1 within the header block of stream 1",
        ),
        nothing("a block in two parts", &[begun(), rest(1), data(1, true, b"x")]),
    ]);
}

#[test]
fn streams_are_opened_in_order_and_used_while_they_last() {
    use Code as C;
    let late = |text: &'static str| format!("{text}, which has ended");
    play_all(vec![
        connection("an even id", &[request(2, true)], C::PROTOCOL_ERROR, "HEADERS on stream 2, which is idle"),
        connection(
            "an id below one that was opened",
            &[request(5, true), request(3, true)],
            C::PROTOCOL_ERROR,
            "HEADERS on stream 3, which is below one that was opened before",
        ),
        connection(
            "HEADERS after RST_STREAM",
            &[request(1, false), reset(1, 8), request(1, true)],
            C::STREAM_CLOSED,
            "HEADERS on stream 1, which has ended",
        ),
        connection(
            "DATA on an idle stream",
            &[data(1, false, b"x")],
            C::PROTOCOL_ERROR,
            "DATA on stream 1, which is idle",
        ),
        connection(
            "RST_STREAM on an idle stream",
            &[reset(1, 8)],
            C::PROTOCOL_ERROR,
            "RST_STREAM on stream 1, which is idle",
        ),
        connection(
            "RST_STREAM on stream 0",
            &[reset(0, 8)],
            C::PROTOCOL_ERROR,
            "RST_STREAM: it belongs to a stream and names none",
        ),
        connection(
            "WINDOW_UPDATE on an idle stream",
            &[window_update(1, 1)],
            C::PROTOCOL_ERROR,
            "WINDOW_UPDATE on stream 1, which is idle",
        ),
        connection(
            "DATA on a stream that the server never opened",
            &[data(2, false, b"x")],
            C::PROTOCOL_ERROR,
            "DATA on stream 2, which is idle",
        ),
        stream(
            "DATA after the end",
            &[request(1, true), data(1, false, b"x")],
            1,
            C::STREAM_CLOSED,
            &late("DATA on stream 1"),
        ),
        stream(
            "HEADERS after the end",
            &[request(1, true), trailers(1)],
            1,
            C::STREAM_CLOSED,
            &late("HEADERS on stream 1"),
        ),
        unheard("DATA after RST_STREAM", &[request(1, false), reset(1, 8), data(1, false, b"x")], 1, C::STREAM_CLOSED),
        nothing("WINDOW_UPDATE after the end", &[request(1, true), window_update(1, 5)]),
        nothing("RST_STREAM twice", &[request(1, false), reset(1, 8), reset(1, 8)]),
        nothing("WINDOW_UPDATE after RST_STREAM", &[request(1, false), reset(1, 8), window_update(1, 5)]),
        nothing("ids that are passed over", &[request(1, true), request(7, true)]),
    ]);
}

#[test]
fn windows_are_kept() {
    use Code as C;
    let full = |stream| data(stream, false, &[0; 16_384]);
    play_all(vec![
        stream(
            "more than the stream's window",
            &[request(1, false), full(1), full(1), full(1), full(1), full(1)],
            1,
            C::FLOW_CONTROL_ERROR,
            "DATA on stream 1: 16384 bytes where its window allows 4464",
        ),
        connection(
            "more than the connection's window",
            &[request(1, false), request(3, false), [full(1), full(3)].concat().repeat(4)],
            C::FLOW_CONTROL_ERROR,
            "DATA on stream 1: 16384 bytes where the connection's window allows 1696",
        ),
        connection(
            "WINDOW_UPDATE of nothing on the connection",
            &[window_update(0, 0)],
            C::PROTOCOL_ERROR,
            "WINDOW_UPDATE: it adds nothing to the window",
        ),
        stream(
            "WINDOW_UPDATE of nothing on a stream",
            &[request(1, false), window_update(1, 0)],
            1,
            C::PROTOCOL_ERROR,
            "WINDOW_UPDATE on stream 1: it adds nothing to the window",
        ),
        connection(
            "WINDOW_UPDATE of 5 bytes",
            &[frame(kind::WINDOW_UPDATE, 0, 0, &[0; 5])],
            C::FRAME_SIZE_ERROR,
            "WINDOW_UPDATE: it has 5 bytes of payload instead of 4",
        ),
    ]);
}

#[test]
fn messages_are_well_formed() {
    use Code as C;
    let opens = |name: &'static str, block: Vec<u8>| unheard(name, &[headers(1, true, &block)], 1, C::PROTOCOL_ERROR);
    let with_length = |length: &str| headers(1, false, &request_with(&[("content-length", length)]));
    let depends_on_itself = [&[0, 0, 0, 1, 16][..], &request_with(&[])].concat();
    let wrong_length = "DATA on stream 1: the body is not as long as its content-length";
    play_all(vec![
        opens("no :method", block(&[(":scheme", "http"), (":path", "/")])),
        opens("no :scheme", block(&[(":method", "POST"), (":path", "/")])),
        opens("no :path", block(&[(":method", "POST"), (":scheme", "http")])),
        opens("an empty :path", block(&[(":method", "POST"), (":scheme", "http"), (":path", "")])),
        opens("two :method", request_with(&[(":method", "POST")])),
        opens("a :status", request_with(&[(":status", "200")])),
        opens("an unknown pseudo-header field", request_with(&[(":protocol", "x")])),
        opens("a pseudo-header field after a regular one", request_with(&[("a", "b"), (":authority", "x")])),
        opens("an upper-case name", request_with(&[("A", "b")])),
        opens("an empty name", request_with(&[("", "b")])),
        opens("a name with a space", request_with(&[("a b", "b")])),
        opens("a value with a line feed", request_with(&[("a", "b\nc")])),
        opens("connection", request_with(&[("connection", "close")])),
        opens("transfer-encoding", request_with(&[("transfer-encoding", "chunked")])),
        opens("te", request_with(&[("te", "gzip")])),
        opens("a content-length without a body", request_with(&[("content-length", "1")])),
        unheard(
            "a stream that depends on itself",
            &[frame(kind::HEADERS, flags::PRIORITY | flags::END_HEADERS, 1, &depends_on_itself)],
            1,
            C::PROTOCOL_ERROR,
        ),
        stream("a longer body", &[with_length("3"), data(1, false, b"abcd")], 1, C::PROTOCOL_ERROR, wrong_length),
        stream("a shorter body", &[with_length("3"), data(1, true, b"ab")], 1, C::PROTOCOL_ERROR, wrong_length),
        stream(
            "a shorter body before trailers",
            &[with_length("3"), data(1, false, b"ab"), trailers(1)],
            1,
            C::PROTOCOL_ERROR,
            "HEADERS on stream 1: the body is shorter than its content-length",
        ),
        nothing("a body as long as it should be", &[with_length("3"), data(1, false, b"ab"), data(1, true, b"c")]),
        stream(
            "trailers that don't end the stream",
            &[request(1, false), headers(1, false, &block(&[("a", "b")]))],
            1,
            C::PROTOCOL_ERROR,
            "HEADERS on stream 1: trailers that don't end the stream",
        ),
        stream(
            "trailers with a pseudo-header field",
            &[request(1, false), headers(1, true, &block(&[(":path", "/")]))],
            1,
            C::PROTOCOL_ERROR,
            "HEADERS on stream 1: malformed trailers: :path has no place here",
        ),
    ]);
}

#[test]
fn blocks_that_cannot_be_decoded_end_the_connection() {
    for (name, block) in [("an index beyond the tables", vec![0xfe]), ("a literal cut short", vec![0, 5, b'a'])] {
        let mut played = super::Played::new(Role::Server, &config(), &[]);
        played.send(&[client_preface(), headers(1, true, &block)].concat());
        assert_eq!(played.outcome.unwrap_err().code, Code::COMPRESSION_ERROR, "{name}");
    }
}

#[test]
fn a_client_goes_away_only_once_and_further() {
    play_all(vec![
        connection(
            "GOAWAY that takes back what it said",
            &[go_away(0, 0, ""), go_away(2, 0, "")],
            Code::PROTOCOL_ERROR,
            "GOAWAY: the last stream is 2, after 0 was said",
        ),
        nothing("GOAWAY in two steps", &[go_away(i32::MAX as u32, 0, ""), go_away(0, 0, "")]),
    ]);
}
