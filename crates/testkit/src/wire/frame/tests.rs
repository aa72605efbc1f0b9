//! Frames, byte by byte.

use super::*;

fn encoded(frame: &Frame) -> BytesMut {
    let mut bytes = BytesMut::new();
    frame.encode(&mut bytes);
    bytes
}

#[test]
fn a_frame_is_nine_bytes_and_its_payload() {
    let frame = Frame::new(Kind::Data, END_STREAM, 3, "abc");
    assert_eq!(&encoded(&frame)[..], b"\0\0\x03\0\x01\0\0\0\x03abc");
    assert_eq!(&encoded(&Frame::settings(&[(4, 65_536)]))[..], b"\0\0\x06\x04\0\0\0\0\0\0\x04\0\x01\0\0");
    assert_eq!(&encoded(&Frame::go_away(1, 2, b"x"))[..], b"\0\0\x09\x07\0\0\0\0\0\0\0\0\x01\0\0\0\x02x");
}

#[test]
fn a_frame_is_read_once_it_is_complete() {
    let frame = Frame::new(Kind::Unknown(77), 0xff, 5, vec![1; 300]);
    let bytes = encoded(&frame);
    for cut in [0, 8, 9, bytes.len() - 1] {
        assert_eq!(Frame::decode(&mut bytes[..cut].into()), None);
    }
    let mut two = bytes.clone();
    two.extend_from_slice(&bytes);
    assert_eq!(Frame::decode(&mut two), Some(frame.clone()));
    assert_eq!(Frame::decode(&mut two), Some(frame));
    assert!(two.is_empty());
}

#[test]
fn every_type_has_its_number() {
    for number in 0..=255 {
        assert_eq!(Kind::of(number).number(), number);
    }
    assert_eq!(Kind::of(9), Kind::Continuation);
}

#[test]
fn padding_and_priority_are_not_content() {
    let padded = Frame::new(Kind::Data, PADDED, 1, &b"\x02abc\0\0"[..]);
    assert_eq!(padded.content().unwrap(), "abc");
    let both = Frame::new(Kind::Headers, PADDED | PRIORITY, 1, &b"\x01\0\0\0\0\x10abc\0"[..]);
    assert_eq!(both.content().unwrap(), "abc");
    let wrong = Frame::new(Kind::Data, PADDED, 1, &b"\x09abc"[..]);
    assert_eq!(wrong.content(), None);
}

#[test]
fn numbers_and_settings_are_read_back() {
    assert_eq!(Frame::number(Kind::RstStream, 1, 8).number_at(0), Some(8));
    let away = Frame::go_away(7, 11, b"calm");
    assert_eq!((away.number_at(0), away.number_at(4), away.number_at(8 + 1)), (Some(7), Some(11), None));
    let values = [(1, 4096), (3, 100)];
    assert_eq!(Frame::settings(&values).setting_values(), values);
}
