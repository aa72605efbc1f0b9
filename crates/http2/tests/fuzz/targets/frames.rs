//! Frames one after the other: what can be read is read again after it was written.

use thalweg_http2::frame::{
    HEAD, Head, continuation, data, go_away, headers, kind, ping, priority, push_promise, reset, settings,
    window_update,
};

/// A small limit for the frames that a header block is cut into.
const CUT: usize = 5;

pub(super) fn run(mut input: &[u8]) {
    while input.len() >= HEAD {
        let (head, rest) = input.split_at(HEAD);
        let said = Head::parse(head);
        let (payload, rest) = rest.split_at(said.len.min(rest.len()));
        // The last frame ends where the input does.
        frame(Head { len: payload.len(), ..said }, payload);
        input = rest;
    }
}

fn frame(head: Head, payload: &[u8]) {
    let mut out = vec![];
    head.write(&mut out);
    assert_eq!(Head::parse(&out), head);
    match head.kind {
        kind::DATA => data(&head, payload),
        kind::HEADERS => headers(&head, payload),
        kind::CONTINUATION => drop(continuation::parse(&head)),
        kind::PRIORITY => drop(priority::parse(&head, payload)),
        kind::PUSH_PROMISE => drop(push_promise::refuse(&head)),
        kind::RST_STREAM => again(&head, payload, reset::parse, |code, out| reset::write(head.stream, *code, out)),
        kind::PING => again(&head, payload, ping::parse, |ping, out| ping.write(out)),
        kind::WINDOW_UPDATE => again(&head, payload, window_update::parse, |increment, out| {
            window_update::write(head.stream, *increment, out);
        }),
        kind::SETTINGS => again(&head, payload, settings::parse, |settings, out| match settings {
            Some(settings) => settings.write(out),
            None => settings::write_ack(out),
        }),
        kind::GOAWAY => {
            let Ok(frame) = go_away::parse(&head, payload) else { return };
            let mut out = vec![];
            frame.write(&mut out);
            assert_eq!(go_away::parse(&Head::parse(&out), &out[HEAD..]), Ok(frame));
        }
        _ => {}
    }
}

/// Reads, writes and reads again.
fn again<T: PartialEq + std::fmt::Debug, E: PartialEq + std::fmt::Debug>(
    head: &Head,
    payload: &[u8],
    parse: fn(&Head, &[u8]) -> Result<T, E>,
    write: impl FnOnce(&T, &mut Vec<u8>),
) {
    let Ok(frame) = parse(head, payload) else { return };
    let mut out = vec![];
    write(&frame, &mut out);
    let written = Head::parse(&out);
    assert_eq!(written.len, out.len() - HEAD, "{frame:?}: the length is wrong");
    assert_eq!(parse(&written, &out[HEAD..]), Ok(frame));
}

fn data(head: &Head, payload: &[u8]) {
    if let Ok(padding) = data::padding(head, payload.first().copied()) {
        assert!(padding.skip + padding.pad <= payload.len(), "{padding:?} of {} bytes", payload.len());
    }
}

/// A header block stays the same in however many frames.
fn headers(head: &Head, payload: &[u8]) {
    let Ok(frame) = headers::parse(head, payload) else { return };
    let block = &payload[frame.fragment];
    for max in [CUT, block.len().max(1)] {
        let mut out = vec![];
        headers::write(head.stream, block, frame.end_stream, max, &mut out);
        assert_eq!(put_together(head.stream, frame.end_stream, &out), block);
    }
}

fn put_together(stream: u32, end_stream: bool, mut frames: &[u8]) -> Vec<u8> {
    let (mut block, mut is_whole) = (vec![], false);
    while !frames.is_empty() {
        assert!(!is_whole, "a frame after the end of the block");
        let head = Head::parse(frames);
        let payload = &frames[HEAD..HEAD + head.len];
        assert_eq!(head.stream, stream);
        if block.is_empty() && head.kind == kind::HEADERS {
            let first = headers::parse(&head, payload).expect("it was written");
            assert_eq!((first.fragment.len(), first.end_stream), (head.len, end_stream));
            is_whole = first.end_headers;
        } else {
            is_whole = continuation::parse(&head).expect("it was written");
        }
        block.extend_from_slice(payload);
        frames = &frames[HEAD + head.len..];
    }
    assert!(is_whole, "the block has no end");
    block
}
