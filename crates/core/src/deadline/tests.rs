//! The codec's table and its properties.

use std::time::{Duration, Instant};

use super::{encode, from_now, parse};
use crate::random::Random;

const FAR_TOO_LONG: Duration = Duration::MAX;

#[test]
fn a_timeout_is_written_in_the_finest_unit_that_fits_rounded_up() {
    for (timeout, text) in [
        (Duration::ZERO, "0n"),
        (Duration::from_nanos(1), "1n"),
        (Duration::from_millis(250), "250000u"),
        (Duration::from_nanos(99_999_999), "99999999n"),
        (Duration::from_nanos(100_000_000), "100000u"),
        (Duration::from_nanos(123_456_789), "123457u"),
        (Duration::from_micros(123_456_789), "123457m"),
        (Duration::from_millis(123_456_789), "123457S"),
        (Duration::from_secs(123_456_789), "2057614M"),
        (Duration::from_secs(123_456_789 * 60), "2057614H"),
        (Duration::from_nanos(99_999_999_001), "100000m"),
        (FAR_TOO_LONG, "99999999H"),
    ] {
        assert_eq!(encode(timeout).as_str(), text);
        assert_eq!(encode(timeout).to_string(), text);
        assert_eq!(encode(timeout).as_bytes(), text.as_bytes());
    }
}

#[test]
fn a_timeout_is_read_in_every_unit() {
    for (text, timeout) in [
        ("0n", Duration::ZERO),
        ("1n", Duration::from_nanos(1)),
        ("2u", Duration::from_micros(2)),
        ("3m", Duration::from_millis(3)),
        ("4S", Duration::from_secs(4)),
        ("5M", Duration::from_secs(300)),
        ("00000006H", Duration::from_secs(6 * 3600)),
        ("99999999H", Duration::from_secs(99_999_999 * 3600)),
    ] {
        assert_eq!(parse(text), Ok(timeout), "{text}");
    }
}

#[test]
fn a_malformed_timeout_says_what_is_wrong_with_it() {
    let unit = "the unit is not one of H, M, S, m, u and n";
    let value = "the value is not one to eight digits";
    for (text, shown, reason) in [
        ("", "", unit),
        ("10", "10", unit),
        ("10s", "10s", unit),
        ("10\u{fc}", "10\\xc3\\xbc", unit),
        ("n", "n", value),
        ("-1n", "-1n", value),
        ("+1n", "+1n", value),
        (" 1n", " 1n", value),
        ("1.5S", "1.5S", value),
        ("123456789n", "123456789n", value),
        ("1111111111111111111111111n", "11111111111111111111", value),
    ] {
        assert_eq!(parse(text).unwrap_err().to_string(), format!("grpc-timeout \"{shown}\": {reason}"));
    }
}

#[test]
fn what_is_written_is_read_as_no_less_and_little_more() {
    let mut random = Random::new(1);
    for _ in 0..100_000 {
        let nanos = random.word() >> random.below(64);
        let timeout = Duration::from_nanos(nanos);
        let text = encode(timeout);
        let read = parse(text.as_bytes()).unwrap();
        assert!(read >= timeout, "{text} for {timeout:?}");
        // A coarser unit is taken only when the finer one needs nine digits: the next is at most 3600 times as coarse.
        assert!(read - timeout <= timeout / 27_000, "{text} for {timeout:?}");
        assert_eq!(encode(read).as_str(), text.as_str());
    }
}

#[test]
fn no_bytes_make_the_parser_panic() {
    let mut random = Random::new(2);
    for _ in 0..100_000 {
        let bytes: Vec<u8> =
            (0..random.below(11)).map(|_| b"0123456789HMSmun\xff -"[random.below(19) as usize]).collect();
        if let Ok(timeout) = parse(&bytes) {
            assert!(timeout <= Duration::from_secs(99_999_999 * 3600));
        }
    }
}

#[test]
fn a_point_in_time_beyond_the_clock_is_the_far_future() {
    #[allow(clippy::disallowed_methods)] // A test needs some instant to count from.
    let now = Instant::now();
    assert_eq!(from_now(now, Duration::from_secs(1)), now + Duration::from_secs(1));
    assert!(from_now(now, FAR_TOO_LONG) > now + Duration::from_secs(86_400 * 365));
}
