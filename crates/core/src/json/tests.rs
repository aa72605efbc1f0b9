//! The walker's readings and rejections.

use std::{fmt::Debug, time::Duration};

use serde_json::{Value, json};

use super::{ConfigError, Node, parse};
use crate::status::Code;

fn rejection<'a, T: Debug>(value: &'a Value, read: impl Fn(&Node<'a>) -> Result<T, ConfigError>) -> String {
    read(&Node::root(value)).unwrap_err().to_string()
}

#[test]
fn a_text_that_is_not_json_is_rejected_with_line_and_column() {
    assert_eq!(parse("{\n  \"a\" 1\n}").unwrap_err().to_string(), "$: not JSON: expected `:` at line 2 column 7");
    assert_eq!(parse("").unwrap_err().to_string(), "$: not JSON: EOF while parsing a value at line 1 column 0");
}

#[test]
fn a_text_nested_without_end_is_rejected_not_followed() {
    let error = parse(&"[".repeat(100_000)).unwrap_err();
    assert_eq!(error.reason, "not JSON: recursion limit exceeded at line 1 column 128");
}

#[test]
fn an_error_moves_under_the_path_of_what_holds_it() {
    let error = ConfigError::new("$.a", "wrong");
    assert_eq!(error.under("$.x[0]"), ConfigError::new("$.x[0].a", "wrong"));
    assert_eq!(ConfigError::new("$", "wrong").under("$.x"), ConfigError::new("$.x", "wrong"));
}

#[test]
fn a_field_that_is_null_counts_as_absent() {
    let document = json!({"a": null, "b": 1});
    let object = Node::root(&document).object().unwrap();
    assert_eq!(object.optional("a", Node::u32), Ok(None));
    assert_eq!(object.optional("b", Node::u32), Ok(Some(1)));
    assert_eq!(object.required("a", Node::u32), Err(ConfigError::new("$.a", "this field is required")));
    assert_eq!(object.names().collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn paths_lead_through_objects_and_arrays() {
    let document = json!({"a": [{"x.y": 1}, {"b": [true]}]});
    let inner = |path: &mut Vec<String>, node: &Node<'_>| path.push(node.path().to_owned());
    let mut paths = vec![];
    for element in Node::root(&document).object().unwrap().get("a").unwrap().array().unwrap() {
        let object = element.object().unwrap();
        object.names().for_each(|name| inner(&mut paths, &object.get(name).unwrap()));
    }
    assert_eq!(paths, ["$.a[0][\"x.y\"]", "$.a[1].b"]);
}

#[test]
fn whole_numbers_may_be_written_as_strings_or_with_an_empty_fraction() {
    for value in [json!(7), json!("7"), json!(7.0), json!(0.7e1)] {
        assert_eq!(Node::root(&value).u32(), Ok(7), "{value}");
        assert_eq!(Node::root(&value).u64(), Ok(7), "{value}");
    }
    assert_eq!(Node::root(&json!(u64::MAX)).u64(), Ok(u64::MAX));
    assert_eq!(Node::root(&json!("18446744073709551615")).u64(), Ok(u64::MAX));
}

#[test]
fn a_wrong_number_is_shown() {
    for (value, found) in [
        (json!(-1), "-1"),
        (json!(1.5), "1.5"),
        (json!(4_294_967_296_u64), "4294967296"),
        (json!("+1"), "\"+1\""),
        (json!(""), "\"\""),
        (json!(1e300), "1e+300"),
        (json!(true), "true"),
        (json!(null), "null"),
        (json!([]), "an array"),
        (json!({}), "an object"),
    ] {
        let expected = format!("$: expected a whole number from 0 to 4294967295, found {found}");
        assert_eq!(rejection(&value, Node::u32), expected);
    }
    assert_eq!(rejection(&json!(-1), Node::u64), "$: expected a whole number from 0 to 18446744073709551615, found -1");
}

#[test]
fn a_number_is_finite_and_may_be_a_string() {
    assert_eq!(Node::root(&json!(0.1)).f64(), Ok(0.1));
    assert_eq!(Node::root(&json!("0.1")).f64(), Ok(0.1));
    assert_eq!(Node::root(&json!(2)).f64(), Ok(2.0));
    for text in ["NaN", "Infinity", "-inf", "much", ""] {
        assert_eq!(rejection(&json!(text), Node::f64), format!("$: expected a number, found {text:?}"));
    }
}

#[test]
fn other_types_are_named_in_the_rejection() {
    assert_eq!(rejection(&json!("yes"), Node::boolean), "$: expected true or false, found \"yes\"");
    assert_eq!(rejection(&json!(1), Node::text), "$: expected a string, found 1");
    assert_eq!(rejection(&json!([]), Node::object), "$: expected an object, found an array");
    assert_eq!(rejection(&json!({}), |n| n.list::<_, Vec<_>>(Node::u32)), "$: expected an array, found an object");
    assert_eq!(
        rejection(&json!([1, "x"]), |n| n.list::<_, Vec<_>>(Node::u32)),
        "$[1]: expected a whole number from 0 to 4294967295, found \"x\""
    );
}

#[test]
fn a_long_string_is_cut_in_the_rejection() {
    let error = rejection(&json!("ä".repeat(1000)), Node::boolean);
    assert_eq!(error, format!("$: expected true or false, found \"{}\"...", "ä".repeat(60)));
}

#[test]
fn status_codes_are_names_in_any_case_or_numbers() {
    for value in [json!("UNAVAILABLE"), json!("unavailable"), json!(14)] {
        assert_eq!(Node::root(&value).code(), Ok(Code::Unavailable), "{value}");
    }
    for (value, found) in [(json!("NOPE"), "\"NOPE\""), (json!(17), "17"), (json!(-1), "-1"), (json!([]), "an array")] {
        assert_eq!(
            rejection(&value, Node::code),
            format!("$: expected a status code (a name such as \"UNAVAILABLE\", or 0 to 16), found {found}")
        );
    }
}

#[test]
fn durations_are_seconds_with_up_to_nine_decimals() {
    for (text, seconds, nanos) in [
        ("0s", 0, 0),
        ("1s", 1, 0),
        ("1.5s", 1, 500_000_000),
        (".25s", 0, 250_000_000),
        ("3.s", 3, 0),
        ("0.000000001s", 0, 1),
        ("315576000000s", 315_576_000_000, 0),
    ] {
        assert_eq!(Node::root(&json!(text)).duration(), Ok(Duration::new(seconds, nanos)), "{text}");
    }
}

#[test]
fn a_wrong_duration_is_told_apart() {
    for (value, expected) in [
        (json!("1"), "a duration such as \"1.5s\", found \"1\""),
        (json!("1ms"), "a duration such as \"1.5s\", found \"1ms\""),
        (json!("s"), "a duration such as \"1.5s\", found \"s\""),
        (json!(".s"), "a duration such as \"1.5s\", found \".s\""),
        (json!("1.2.3s"), "a duration such as \"1.5s\", found \"1.2.3s\""),
        (json!("1e3s"), "a duration such as \"1.5s\", found \"1e3s\""),
        (json!("--1s"), "a duration such as \"1.5s\", found \"--1s\""),
        (json!(1.5), "a duration such as \"1.5s\", found 1.5"),
        (json!("-1s"), "a duration that is not negative, found \"-1s\""),
        (json!("0.1234567891s"), "a duration with at most 9 decimals, found \"0.1234567891s\""),
        (json!("315576000000.1s"), "a duration of at most 315576000000s, found \"315576000000.1s\""),
        (json!("99999999999999999999999s"), "a duration of at most 315576000000s, found \"99999999999999999999999s\""),
    ] {
        assert_eq!(rejection(&value, Node::duration), format!("$: expected {expected}"));
    }
}
