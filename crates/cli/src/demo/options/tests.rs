//! Flags are read, or refused with the flag and the reason.

use std::time::Duration;

use clap::{Parser, error::ErrorKind};

use super::{DurationError, Options, parse_duration};

#[derive(Parser, Debug)]
struct Line {
    #[command(flatten)]
    options: Options,
}

fn read(flags: &str) -> Result<Options, clap::Error> {
    let words = std::iter::once("demo").chain(flags.split_whitespace());
    Line::try_parse_from(words).map(|line| line.options)
}

#[test]
fn durations_have_a_number_and_a_unit() {
    assert_eq!(parse_duration("60s"), Ok(Duration::from_secs(60)));
    assert_eq!(parse_duration("1.5s"), Ok(Duration::from_millis(1500)));
    assert_eq!(parse_duration("2500ms"), Ok(Duration::from_millis(2500)));
    assert_eq!(parse_duration("2m"), Ok(Duration::from_secs(120)));
    assert_eq!(parse_duration("1h"), Ok(Duration::from_secs(3600)));
}

#[test]
fn what_is_no_duration_is_refused() {
    for text in ["abc", "60", "", "s", "5 s", "5x", "1e3s", "5sec", "5s5"] {
        assert_eq!(parse_duration(text), Err(DurationError::Form), "{text:?}");
    }
    for text in ["0s", "-5s", "999ms", "25h", "99999999999999999999999h"] {
        assert_eq!(parse_duration(text), Err(DurationError::Range), "{text:?}");
    }
}

#[test]
fn without_flags_the_defaults_hold() {
    let options = read("").unwrap();
    assert_eq!((options.backends, options.rate, options.duration), (4, 500, Duration::from_secs(20)));
    assert!(options.policy.is_none() && options.service_config.is_none() && options.listen.is_none() && !options.json);
}

#[test]
fn a_wrong_value_is_refused_with_its_flag() {
    for (flags, words) in [
        ("--rate 0", ["--rate", "0 is not in 1..=100000"]),
        ("--rate -5", ["--rate", "-5 is not in"]),
        ("--rate fast", ["--rate", "fast"]),
        ("--backends 1", ["--backends", "1 is not in 2..=64"]),
        ("--backends 65", ["--backends", "65 is not in"]),
        ("--duration abc", ["--duration", "a number and a unit"]),
        ("--duration -5s", ["--duration", "from 1s to 24h"]),
    ] {
        let error = read(flags).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ValueValidation, "{flags}");
        assert_eq!(error.exit_code(), 2);
        let text = error.to_string();
        assert!(words.iter().all(|word| text.contains(word)), "{flags}: {text}");
    }
}
