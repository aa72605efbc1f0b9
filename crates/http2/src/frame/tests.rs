//! Tests of frames: what is written is read, and what breaks a rule ends what the RFC says.

use super::{go_away::GoAway, headers::Headers, ping::Ping, settings::Settings, *};

fn head(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Head {
    Head { len: payload.len(), kind, flags, stream }
}

/// Splits what was written into the head and the payload of its only frame.
fn split(frame: &[u8]) -> (Head, &[u8]) {
    let (head, payload) = (Head::parse(frame), &frame[HEAD..]);
    assert_eq!(head.len, payload.len());
    (head, payload)
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = vec![];
    write(&mut out);
    out
}

/// The code and the text of what ends the connection.
fn connection<T: std::fmt::Debug>(result: Result<T, Fault>) -> (Code, String) {
    match result.unwrap_err() {
        Fault::Connection(violation) => (violation.code, violation.text.into_owned()),
        fault @ Fault::Stream { .. } => panic!("{fault}"),
    }
}

/// The stream, the code and the text of what ends a stream.
fn stream<T: std::fmt::Debug>(result: Result<T, Fault>) -> (u32, Code, String) {
    match result.unwrap_err() {
        Fault::Stream { stream, violation } => (stream, violation.code, violation.text.into_owned()),
        Fault::Connection(violation) => panic!("{violation}"),
    }
}

#[test]
fn a_head_comes_back_as_it_was_written() {
    let head = Head { len: 0x0001_0203, kind: 9, flags: 0x2d, stream: 0x7fff_fffe };
    let bytes = written(|out| head.write(out));
    assert_eq!(bytes, [1, 2, 3, 9, 0x2d, 0x7f, 0xff, 0xff, 0xfe]);
    assert_eq!(Head::parse(&bytes), head);
}

#[test]
fn the_reserved_bit_of_a_stream_id_is_ignored() {
    assert_eq!(Head::parse(&[0, 0, 0, 0, 0, 0x80, 0, 0, 5]).stream, 5);
}

#[test]
fn kinds_have_the_names_of_the_rfc() {
    assert_eq!((kind::name(kind::DATA), kind::name(kind::CONTINUATION)), ("DATA", "CONTINUATION"));
    assert_eq!(kind::name(77), "a frame of an unknown kind");
}

#[test]
fn data_tells_where_its_padding_lies() {
    use data::{Padding, padding};
    let plain = Head { len: 5, kind: kind::DATA, flags: flags::END_STREAM, stream: 1 };
    assert_eq!(padding(&plain, Some(9)), Ok(Padding { skip: 0, pad: 0 }));
    let padded = Head { flags: flags::PADDED, ..plain };
    assert_eq!(padding(&padded, Some(4)), Ok(Padding { skip: 1, pad: 4 }));
}

#[test]
fn data_that_breaks_a_rule_ends_the_connection() {
    let padded = Head { len: 5, kind: kind::DATA, flags: flags::PADDED, stream: 1 };
    let rule = "DATA on stream 1: 5 bytes of padding don't fit into a payload of 5";
    assert_eq!(connection(data::padding(&padded, Some(5))), (Code::PROTOCOL_ERROR, rule.to_owned()));
    let (code, text) = connection(data::padding(&Head { len: 0, ..padded }, None));
    assert_eq!((code, text.as_str()), (Code::FRAME_SIZE_ERROR, "DATA on stream 1: it ends within its padding"));
    let (code, text) = connection(data::padding(&Head { stream: 0, ..padded }, Some(0)));
    assert_eq!((code, text.as_str()), (Code::PROTOCOL_ERROR, "DATA: it belongs to a stream and names none"));
}

#[test]
fn data_is_written_head_first() {
    let bytes = written(|out| data::write(3, 70_000, true, out));
    assert_eq!(Head::parse(&bytes), Head { len: 70_000, kind: kind::DATA, flags: flags::END_STREAM, stream: 3 });
}

fn fragment(flags: u8, payload: &[u8]) -> Result<Headers, Fault> {
    headers::parse(&head(kind::HEADERS, flags, 3, payload), payload)
}

#[test]
fn headers_tell_where_their_fragment_lies() {
    let ranges = [
        (0, vec![0; 4], 0..4),
        (0, vec![], 0..0),
        (flags::PADDED, vec![2, 7, 7, 0, 0], 1..3),
        (flags::PADDED, vec![1, 0], 1..1),
        (flags::PRIORITY, vec![0, 0, 0, 1, 255, 7, 7], 5..7),
        (flags::PRIORITY | flags::PADDED, vec![1, 0x80, 0, 0, 1, 255, 7, 7, 0], 6..8),
    ];
    for (flags, payload, range) in ranges {
        let headers = fragment(flags, &payload).unwrap();
        assert_eq!((headers.fragment, headers.violation), (range, None));
        assert!(!headers.end_stream && !headers.end_headers);
    }
    let headers = fragment(flags::END_HEADERS | flags::END_STREAM, &[]).unwrap();
    assert!(headers.end_stream && headers.end_headers);
}

#[test]
fn headers_that_depend_on_themselves_still_have_their_fragment() {
    let headers = fragment(flags::PRIORITY, &[0x80, 0, 0, 3, 0, 7]).unwrap();
    let violation = headers.violation.unwrap();
    assert_eq!((violation.code, headers.fragment), (Code::PROTOCOL_ERROR, 5..6));
    assert_eq!(violation.text, "HEADERS on stream 3: the stream depends on itself");
}

#[test]
fn headers_that_break_a_rule_end_the_connection() {
    let code = |flags, payload: &[u8]| connection(fragment(flags, payload)).0;
    assert_eq!(code(flags::PADDED, &[]), Code::FRAME_SIZE_ERROR);
    assert_eq!(code(flags::PADDED, &[2, 0]), Code::PROTOCOL_ERROR);
    assert_eq!(code(flags::PRIORITY, &[0; 4]), Code::FRAME_SIZE_ERROR);
    assert_eq!(code(flags::PRIORITY | flags::PADDED, &[0; 5]), Code::FRAME_SIZE_ERROR);
    assert_eq!(code(flags::PRIORITY | flags::PADDED, &[1, 0, 0, 0, 0, 0]), Code::PROTOCOL_ERROR);
    let nowhere = headers::parse(&head(kind::HEADERS, 0, 0, &[]), &[]);
    assert_eq!(connection(nowhere).1, "HEADERS: it belongs to a stream and names none");
}

#[test]
fn a_block_that_fits_is_one_frame() {
    let bytes = written(|out| headers::write(5, b"block", true, 5, out));
    let (head, payload) = split(&bytes);
    assert_eq!(payload, b"block");
    assert_eq!((head.kind, head.flags), (kind::HEADERS, flags::END_STREAM | flags::END_HEADERS));
}

#[test]
fn a_block_that_does_not_fit_goes_on_in_continuation() {
    let bytes = written(|out| headers::write(5, b"abcdefgh", true, 3, out));
    let (mut rest, mut frames) = (&bytes[..], vec![]);
    while !rest.is_empty() {
        let head = Head::parse(rest);
        frames.push((head.kind, head.flags, &rest[HEAD..HEAD + head.len]));
        rest = &rest[HEAD + head.len..];
    }
    let expected = [
        (kind::HEADERS, flags::END_STREAM, &b"abc"[..]),
        (kind::CONTINUATION, 0, b"def"),
        (kind::CONTINUATION, flags::END_HEADERS, b"gh"),
    ];
    assert_eq!(frames, expected);
}

#[test]
fn continuation_tells_whether_the_block_ends() {
    assert_eq!(continuation::parse(&head(kind::CONTINUATION, flags::END_HEADERS, 1, b"x")), Ok(true));
    assert_eq!(continuation::parse(&head(kind::CONTINUATION, 0, 1, b"x")), Ok(false));
    assert_eq!(connection(continuation::parse(&head(kind::CONTINUATION, 0, 0, b"x"))).0, Code::PROTOCOL_ERROR);
}

#[test]
fn priority_is_checked_and_ignored() {
    let parse = |stream, payload: &[u8]| priority::parse(&head(kind::PRIORITY, 0, stream, payload), payload);
    assert_eq!(parse(1, &[0, 0, 0, 3, 9]), Ok(()));
    assert_eq!(connection(parse(0, &[0, 0, 0, 3, 9])).0, Code::PROTOCOL_ERROR);
    let (id, code, text) = stream(parse(7, &[0; 4]));
    let rule = "PRIORITY on stream 7: it has 4 bytes of payload instead of 5";
    assert_eq!((id, code, text.as_str()), (7, Code::FRAME_SIZE_ERROR, rule));
    assert_eq!(stream(parse(3, &[0x80, 0, 0, 3, 9])).1, Code::PROTOCOL_ERROR);
}

#[test]
fn a_reset_comes_back_as_it_was_written() {
    for code in [Code::CANCEL, Code(0xdead_beef)] {
        let bytes = written(|out| reset::write(9, code, out));
        let (head, payload) = split(&bytes);
        assert_eq!((head.stream, reset::parse(&head, payload)), (9, Ok(code)));
    }
}

#[test]
fn a_reset_that_breaks_a_rule_ends_the_connection() {
    let parse = |stream, payload: &[u8]| connection(reset::parse(&head(kind::RST_STREAM, 0, stream, payload), payload));
    assert_eq!(parse(0, &[0; 4]).0, Code::PROTOCOL_ERROR);
    let rule = "RST_STREAM on stream 1: it has 3 bytes of payload instead of 4";
    assert_eq!(parse(1, &[0; 3]), (Code::FRAME_SIZE_ERROR, rule.to_owned()));
}

#[test]
fn settings_come_back_as_they_were_written() {
    let settings = Settings {
        least_table_size: None,
        header_table_size: Some(1),
        enable_push: Some(false),
        max_concurrent_streams: Some(u32::MAX),
        initial_window_size: Some(u32::MAX >> 1),
        max_frame_size: Some((1 << 24) - 1),
        max_header_list_size: Some(0),
    };
    for settings in [settings, Settings::default(), Settings { max_frame_size: None, ..settings }] {
        let bytes = written(|out| settings.write(out));
        let (head, payload) = split(&bytes);
        assert_eq!(settings::parse(&head, payload), Ok(Some(settings)));
    }
    let bytes = written(settings::write_ack);
    let (head, payload) = split(&bytes);
    assert_eq!(settings::parse(&head, payload), Ok(None));
}

fn settings(flags: u8, stream: u32, payload: &[u8]) -> Result<Option<Settings>, Fault> {
    settings::parse(&head(kind::SETTINGS, flags, stream, payload), payload)
}

#[test]
fn unknown_settings_are_ignored_and_the_last_value_counts() {
    let payload = [[0, 3, 0, 0, 0, 1], [0xfe, 3, 0, 0, 0, 9], [0, 3, 0, 0, 0, 2]].concat();
    let expected = Settings { max_concurrent_streams: Some(2), ..Settings::default() };
    assert_eq!(settings(0, 0, &payload), Ok(Some(expected)));
}

#[test]
fn settings_out_of_range_end_the_connection() {
    let value = |id: u8, value: u32| connection(settings(0, 0, &[&[0, id][..], &value.to_be_bytes()].concat()));
    let rule = "SETTINGS: SETTINGS_ENABLE_PUSH is 2, neither 0 nor 1";
    assert_eq!(value(2, 2), (Code::PROTOCOL_ERROR, rule.to_owned()));
    let rule = "SETTINGS: SETTINGS_INITIAL_WINDOW_SIZE is 2147483648, above 2^31-1";
    assert_eq!(value(4, 1 << 31), (Code::FLOW_CONTROL_ERROR, rule.to_owned()));
    for size in [0, (1 << 14) - 1, 1 << 24] {
        assert_eq!(value(5, size).0, Code::PROTOCOL_ERROR);
    }
}

#[test]
fn settings_of_a_wrong_shape_end_the_connection() {
    let rule = "SETTINGS on stream 1: it belongs to the connection and names a stream";
    assert_eq!(connection(settings(0, 1, &[])), (Code::PROTOCOL_ERROR, rule.to_owned()));
    assert_eq!(connection(settings(0, 0, &[0; 7])).0, Code::FRAME_SIZE_ERROR);
    assert_eq!(connection(settings(flags::ACK, 0, &[0; 6])).0, Code::FRAME_SIZE_ERROR);
}

#[test]
fn a_push_is_refused() {
    let refused = push_promise::refuse(&head(kind::PUSH_PROMISE, 0, 1, &[0; 4]));
    assert_eq!(connection(Err::<(), _>(refused)).0, Code::PROTOCOL_ERROR);
}

#[test]
fn a_ping_comes_back_as_it_was_written() {
    for ack in [false, true] {
        let ping = Ping { ack, payload: *b"abcdefgh" };
        let bytes = written(|out| ping.write(out));
        let (head, payload) = split(&bytes);
        assert_eq!(ping::parse(&head, payload), Ok(ping));
    }
}

#[test]
fn a_ping_that_breaks_a_rule_ends_the_connection() {
    let parse = |stream, payload: &[u8]| connection(ping::parse(&head(kind::PING, 0, stream, payload), payload)).0;
    assert_eq!(parse(1, &[0; 8]), Code::PROTOCOL_ERROR);
    assert_eq!(parse(0, &[0; 7]), Code::FRAME_SIZE_ERROR);
    assert_eq!(parse(0, &[0; 9]), Code::FRAME_SIZE_ERROR);
}

#[test]
fn a_go_away_comes_back_as_it_was_written() {
    let go_away = GoAway { last_stream: 7, code: Code::ENHANCE_YOUR_CALM, debug: b"too_many_pings" };
    for go_away in [go_away, GoAway { debug: b"", ..go_away }] {
        let bytes = written(|out| go_away.write(out));
        let (head, payload) = split(&bytes);
        assert_eq!(go_away::parse(&head, payload), Ok(go_away));
    }
}

#[test]
fn the_words_of_a_go_away_are_cut_to_what_every_peer_accepts() {
    let bytes = written(|out| GoAway { last_stream: 0, code: Code::NO_ERROR, debug: &[b'x'; 20_000] }.write(out));
    assert_eq!(Head::parse(&bytes).len, 1 << 14);
    assert_eq!(bytes.len(), HEAD + (1 << 14));
}

#[test]
fn a_go_away_that_breaks_a_rule_ends_the_connection() {
    let parse = |stream, payload: &[u8]| {
        connection(go_away::parse(&head(kind::GOAWAY, 0, stream, payload), payload).map(|go_away| go_away.code)).0
    };
    assert_eq!(parse(1, &[0; 8]), Code::PROTOCOL_ERROR);
    assert_eq!(parse(0, &[0; 7]), Code::FRAME_SIZE_ERROR);
}

#[test]
fn a_window_update_comes_back_as_it_was_written() {
    for (id, increment) in [(0, 1), (9, u32::MAX >> 1)] {
        let bytes = written(|out| window_update::write(id, increment, out));
        let (head, payload) = split(&bytes);
        assert_eq!((head.stream, window_update::parse(&head, payload)), (id, Ok(increment)));
    }
}

#[test]
fn a_window_update_of_nothing_ends_what_it_is_for() {
    let parse = |stream, payload: &[u8]| window_update::parse(&head(kind::WINDOW_UPDATE, 0, stream, payload), payload);
    // The reserved bit does not count.
    assert_eq!(connection(parse(0, &[0x80, 0, 0, 0])).0, Code::PROTOCOL_ERROR);
    let (id, code, text) = stream(parse(3, &[0; 4]));
    assert_eq!((id, code), (3, Code::PROTOCOL_ERROR));
    assert_eq!(text, "WINDOW_UPDATE on stream 3: it adds nothing to the window");
    assert_eq!(connection(parse(3, &[0; 5])).0, Code::FRAME_SIZE_ERROR);
}
