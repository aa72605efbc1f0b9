//! Tests of what names and values mean.

use super::*;

fn field(name: &str, value: &str) -> Field {
    Field::parse(Name::parse(name.as_bytes()), value.as_bytes())
}

fn header(name: &'static str, value: &'static str) -> Field {
    Field::Header(HeaderName::from_static(name), HeaderValue::from_static(value))
}

#[test]
fn what_every_call_says_is_known_by_its_meaning() {
    assert_eq!(field(":method", "POST"), Field::Method(Method::POST));
    assert_eq!(field(":scheme", "https"), Field::Scheme(Scheme::Https));
    assert_eq!(field(":scheme", "http"), Field::Scheme(Scheme::Http));
    assert_eq!(field(":path", "/a.B/C"), Field::Path(Some(PathAndQuery::from_static("/a.B/C"))));
    assert_eq!(field(":authority", "a:1"), Field::Authority(Some(Authority::from_static("a:1"))));
    assert_eq!(field(":status", "200"), Field::Status(StatusCode::OK));
    assert_eq!(field("content-type", "application/grpc"), Field::ContentTypeGrpc);
    assert_eq!(field("te", "trailers"), Field::TeTrailers);
}

#[test]
fn other_values_of_known_names_are_kept_as_they_are() {
    assert_eq!(field("content-type", "application/grpc+proto"), header("content-type", "application/grpc+proto"));
    assert_eq!(field(":scheme", "ftp"), Field::Scheme(Scheme::Other));
    assert_eq!(field(":authority", "%2Ftmp%2Fsocket"), Field::Authority(None));
    assert_eq!(field(":authority", ""), Field::Authority(None));
    assert_eq!(field(":path", "/\u{1}"), Field::Path(None));
    assert_eq!(field(":method", "BREW"), Field::Method(Method::from_bytes(b"BREW").unwrap()));
}

#[test]
fn a_path_has_no_fragment_and_an_authority_nobodys_name() {
    assert_eq!(field(":path", "/a.B/C#d"), Field::Malformed("a :path with a fragment"));
    assert_eq!(field(":authority", "me:secret@a"), Field::Malformed("an :authority with user information"));
    assert_eq!(field(":authority", "a b"), Field::Malformed("an :authority with bytes that are not allowed"));
}

#[test]
fn a_grpc_status_is_a_number_only_as_grpc_writes_it() {
    for status in 0..=16_u8 {
        assert_eq!(field("grpc-status", &status.to_string()), Field::GrpcStatus(status));
    }
    for value in ["", "17", "00", "01", "-1", "1 ", "100", "x"] {
        assert!(
            matches!(field("grpc-status", value), Field::Header(name, kept) if name == "grpc-status" && kept == value)
        );
    }
}

#[test]
fn fields_of_http_1_are_told_by_their_names() {
    for name in ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"] {
        assert_eq!(field(name, "x"), Field::ConnectionSpecific(name));
    }
    assert_eq!(field("te", "gzip"), Field::ConnectionSpecific("te, other than trailers"));
}

#[test]
fn unknown_pseudo_header_fields_are_no_headers() {
    for name in [":", ":protocol", ":Path", "::path"] {
        assert_eq!(field(name, "x"), Field::UnknownPseudo);
    }
}

#[test]
fn each_malformed_field_says_which_rule_it_breaks() {
    let rule = |name, value| match field(name, value) {
        Field::Malformed(rule) => rule,
        fine => panic!("{fine:?}"),
    };
    assert_eq!(rule("", "x"), "a field without a name");
    assert_eq!(rule("X-Upper", "x"), "a field name with upper-case letters");
    for name in ["a b", "a:b", "a\u{0}", "a\u{7f}", "\u{e9}"] {
        assert_eq!(rule(name, "x"), "a field name with bytes that are not allowed");
    }
    for value in ["a\0", "a\rb", "a\nb", "\u{7f}"] {
        assert_eq!(rule("a", value), "a field value with bytes that are not allowed");
        assert_eq!(rule("content-type", value), "a field value with bytes that are not allowed");
        assert_eq!(rule("grpc-status", value), "a field value with bytes that are not allowed");
    }
    assert_eq!(rule(":method", "A B"), ":method is no token");
    assert_eq!(rule(":path", ""), ":path is empty");
    for status in ["", "20", "2000", "abc", "099"] {
        assert_eq!(rule(":status", status), ":status is no number of three digits");
    }
}

#[test]
fn names_of_grpc_are_read_as_any_other_name_would_be() {
    let names = ["grpc-timeout", "grpc-encoding", "grpc-accept-encoding", "grpc-message", "grpc-status-details-bin"];
    for name in names {
        assert_eq!(Name::parse(name.as_bytes()), Name::Header(HeaderName::from_static(name)));
    }
}

#[test]
fn white_space_at_the_ends_of_a_value_is_let_through() {
    assert_eq!(field("grpc-message", " no, "), header("grpc-message", " no, "));
}
