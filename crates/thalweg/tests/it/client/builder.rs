//! What cannot be built, and the words in which the builder says so.

use std::time::Duration;

use thalweg::{
    BoxFuture, Channel,
    channel::ChannelBuilder,
    core::backoff::BackoffConfig,
    credentials::{CallContext, CallCredentials},
    transport::options::{Http2Options, Limits},
};
use tonic::{Status, metadata::MetadataMap};

fn refused(builder: ChannelBuilder) -> String {
    match builder.build() {
        Ok(channel) => panic!("{channel:?} was built"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_bad_target_is_named_piece_by_piece() {
    for (target, text) in [
        ("", "the target is empty"),
        ("dns:", r#"target "dns:" names nothing to connect to"#),
        ("dns:///", r#"target "dns:///" names nothing to connect to"#),
        ("gopher://greeter", r#"target "gopher://greeter": no resolver is registered for the scheme "gopher""#),
        ("http://greeter:80", r#"target "http://greeter:80": no resolver is registered for the scheme "http""#),
        ("greeter:0", r#""greeter:0": the port "0" is not a number from 1 to 65535"#),
        ("greeter:70000", r#""greeter:70000": the port "70000" is not a number from 1 to 65535"#),
        ("greeter:http", r#""greeter:http": the port "http" is not a number from 1 to 65535"#),
        ("dns:///greeter:70000", r#""greeter:70000": the port "70000" is not a number from 1 to 65535"#),
        ("dns:///:50051", r#"":50051" has no host"#),
        ("dns:///gree ter:50051", r#""gree ter:50051": "gree ter" is not a host name or an IP address"#),
        ("dns:///gre%zzter", r#"path "gre%zzter": "%zz" is not a percent-escape"#),
        ("ipv4:10.0.0.1:0", r#""10.0.0.1:0": the port "0" is not a number from 1 to 65535"#),
        ("ipv4:10.0.0.1:70000", r#""10.0.0.1:70000": the port "70000" is not a number from 1 to 65535"#),
        ("ipv4:10.0.0.256:1", r#""10.0.0.256": not an IPv4 address"#),
        ("ipv6:[::1:50051", r#""[::1:50051": "[::1:50051" is not a host name or an IP address"#),
        (
            "ipv4://8.8.8.8/10.0.0.1:1",
            r#""ipv4" targets have no authority, but this one names "8.8.8.8": write ipv4:PATH"#,
        ),
        ("unix://host/run/it", r#""unix" targets have no authority, but this one names "host": write unix:PATH"#),
    ] {
        assert_eq!(refused(Channel::builder(target)), text, "{target}");
    }
}

#[test]
fn a_bad_service_config_is_named_by_its_path() {
    for (json, text) in [
        ("{", "default service config: $: not JSON: EOF while parsing an object at line 1 column 1"),
        ("[]", "default service config: $: expected an object, found an array"),
        (
            r#"{"loadBalancingConfig": [{"unheard_of": {}}, {"of_neither": {}}]}"#,
            "default service config: $.loadBalancingConfig: no known policy in [unheard_of, of_neither]",
        ),
        (
            r#"{"methodConfig": [{"name": [{"service": "a.B"}]}, {"name": [{"service": "a.B"}]}]}"#,
            "default service config: $.methodConfig[1].name[0]: the same name as $.methodConfig[0].name[0]",
        ),
        (
            r#"{"methodConfig": [{"name": [{}], "timeout": 5}]}"#,
            r#"default service config: $.methodConfig[0].timeout: expected a duration such as "1.5s", found 5"#,
        ),
        (
            r#"{"methodConfig": [{"name": [{}], "waitForReady": "yes"}]}"#,
            r#"default service config: $.methodConfig[0].waitForReady: expected true or false, found "yes""#,
        ),
    ] {
        assert_eq!(refused(Channel::builder("greeter").default_service_config(json)), text);
    }
}

#[test]
fn a_bad_authority_or_user_agent_is_shown() {
    let builder = || Channel::builder("greeter");
    assert_eq!(
        refused(builder().authority("gree/ter")),
        r#"the authority "gree/ter" is not a host, or a host and a port"#
    );
    assert_eq!(refused(builder().authority("")), r#"the authority "" is not a host, or a host and a port"#);
    let shown = refused(builder().user_agent("line\nbreak"));
    assert!(shown.starts_with(r#"user agent "line\nbreak grpc-rust-thalweg/"#), "{shown}");
    assert!(shown.ends_with(": only visible ASCII characters and spaces may stand in it"), "{shown}");
    refused(builder().user_agent("señor"));
}

#[derive(Debug)]
struct Token;

impl CallCredentials for Token {
    fn metadata<'a>(&'a self, _: CallContext<'a>) -> BoxFuture<'a, Result<MetadataMap, Status>> {
        Box::pin(std::future::ready(Ok(MetadataMap::new())))
    }
}

#[test]
fn call_credentials_need_a_secure_channel() {
    let text = "call credentials need a secure channel, and this one is plaintext";
    assert_eq!(refused(Channel::builder("greeter").call_credentials(Token)), text);
}

#[test]
fn options_of_http2_have_their_ranges() {
    let good = Http2Options::default();
    for (options, text) in [
        (Http2Options { stream_window: 1, ..good.clone() }, "stream_window is 1, and must be from 65535 to 2147483647"),
        (
            Http2Options { connection_window: 1 << 31, ..good.clone() },
            "connection_window is 2147483648, and must be from 65535 to 2147483647",
        ),
        (
            Http2Options { max_frame_size: 1 << 24, ..good.clone() },
            "max_frame_size is 16777216, and must be from 16384 to 16777215",
        ),
        (
            Http2Options { limits: Limits { tiny_data: 0, ..Limits::default() }, ..good.clone() },
            "limits.tiny_data is 0, and must be from 1 to 4294967295",
        ),
        (
            Http2Options { max_header_list_size: 0, ..good.clone() },
            "max_header_list_size is 0, and must be from 1024 to 4294967295",
        ),
        (Http2Options { max_write_buffer: 0, ..good }, "max_write_buffer is 0, and must be from 16384 to 4294967295"),
    ] {
        assert_eq!(refused(Channel::builder("greeter").http2(options)), format!("http2: {text}"));
    }
}

#[test]
fn a_backoff_has_its_ranges() {
    let good = BackoffConfig::default();
    for (backoff, text) in [
        (BackoffConfig { initial: Duration::ZERO, ..good }, "initial must be above zero"),
        (BackoffConfig { multiplier: 0.5, ..good }, "multiplier must be at least 1, and is 0.5"),
        (BackoffConfig { jitter: 1.5, ..good }, "jitter must be from 0 to 1, and is 1.5"),
        (BackoffConfig { max: Duration::from_millis(1), ..good }, "max must be at least initial (1s), and is 1ms"),
        (BackoffConfig { min_connect_timeout: Duration::ZERO, ..good }, "min_connect_timeout must be above zero"),
    ] {
        assert_eq!(refused(Channel::builder("greeter").backoff(backoff)), format!("backoff: {text}"));
    }
}
