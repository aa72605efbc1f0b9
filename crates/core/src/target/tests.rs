//! Targets, their canonical texts, and what is said about wrong ones.

use super::{Target, TargetError, host_and_port};
use crate::random::Random;

const KNOWN: [&str; 7] = ["dns", "ipv4", "ipv6", "unix", "unix-abstract", "passthrough", "xds"];

fn parse(text: &str) -> Result<Target, TargetError> {
    Target::parse(text, |scheme| KNOWN.contains(&scheme))
}

/// Text, scheme, authority, path, canonical text, default authority.
const GOOD: [(&str, &str, &str, &str, &str, &str); 26] = [
    ("localhost:50051", "dns", "", "localhost:50051", "dns:///localhost:50051", "localhost:50051"),
    ("a.b:443", "dns", "", "a.b:443", "dns:///a.b:443", "a.b:443"),
    ("greeter", "dns", "", "greeter", "dns:///greeter", "greeter"),
    ("[::1]:50051", "dns", "", "[::1]:50051", "dns:///[::1]:50051", "[::1]:50051"),
    ("::1", "dns", "", "::1", "dns:///::1", "[::1]"),
    ("[fe80::1%eth0]:80", "dns", "", "[fe80::1%eth0]:80", "dns:///[fe80::1%25eth0]:80", "[fe80::1]:80"),
    ("10.0.0.1:80", "dns", "", "10.0.0.1:80", "dns:///10.0.0.1:80", "10.0.0.1:80"),
    (":80", "dns", "", ":80", "dns:///:80", "localhost:80"),
    ("a/b", "dns", "", "a/b", "dns:///a/b", "a%2Fb"),
    ("dns:h:1", "dns", "", "h:1", "dns:///h:1", "h:1"),
    ("dns:///h:1", "dns", "", "h:1", "dns:///h:1", "h:1"),
    ("DNS:///H:1", "dns", "", "H:1", "dns:///H:1", "H:1"),
    ("dns://8.8.8.8/h:1", "dns", "8.8.8.8", "h:1", "dns://8.8.8.8/h:1", "h:1"),
    ("dns://[::1]:53/h:1", "dns", "[::1]:53", "h:1", "dns://[::1]:53/h:1", "h:1"),
    ("dns:///[fe80::1%25eth0]:80", "dns", "", "[fe80::1%eth0]:80", "dns:///[fe80::1%25eth0]:80", "[fe80::1]:80"),
    ("unix:relative/s", "unix", "", "relative/s", "unix:relative/s", "localhost"),
    ("unix:/abs", "unix", "", "/abs", "unix:///abs", "localhost"),
    ("unix:///abs%20s", "unix", "", "/abs s", "unix:///abs%20s", "localhost"),
    ("unix:////abs", "unix", "", "//abs", "unix:////abs", "localhost"),
    ("unix-abstract:name", "unix-abstract", "", "name", "unix-abstract:name", "localhost"),
    ("unix-abstract:/name", "unix-abstract", "", "/name", "unix-abstract:////name", "localhost"),
    ("ipv4:1.2.3.4:80,5.6.7.8:81", "ipv4", "", "1.2.3.4:80,5.6.7.8:81", "ipv4:1.2.3.4:80,5.6.7.8:81", "1.2.3.4:80"),
    ("ipv4:///1.2.3.4", "ipv4", "", "1.2.3.4", "ipv4:1.2.3.4", "1.2.3.4"),
    ("ipv6:[::1]:80,[::2]:81", "ipv6", "", "[::1]:80,[::2]:81", "ipv6:[::1]:80,[::2]:81", "[::1]:80"),
    ("passthrough:///x y", "passthrough", "", "x y", "passthrough:///x%20y", "x%20y"),
    ("xds://a/b/c?d#e", "xds", "a", "b/c?d#e", "xds://a/b/c?d#e", "b%2Fc%3Fd%23e"),
];

#[test]
fn a_target_is_taken_apart_as_the_naming_document_says() {
    for (text, scheme, authority, path, canonical, default_authority) in GOOD {
        let target = parse(text).unwrap();
        let parts = (target.scheme.as_str(), target.authority.as_str(), target.path.as_str());
        assert_eq!(parts, (scheme, authority, path), "{text}");
        assert_eq!(target.to_string(), canonical, "{text}");
        assert_eq!(parse(canonical), Ok(target.clone()), "{text}");
        assert_eq!(target.default_authority(), default_authority, "{text}");
    }
}

#[test]
fn an_unknown_scheme_is_a_name_unless_slashes_follow() {
    assert_eq!(parse("foo:50051").unwrap().path, "foo:50051");
    assert_eq!(
        parse("foo:///bar").unwrap_err().to_string(),
        "target \"foo:///bar\": no resolver is registered for the scheme \"foo\""
    );
    assert_eq!(
        parse("http://greeter:80").unwrap_err().to_string(),
        "target \"http://greeter:80\": no resolver is registered for the scheme \"http\""
    );
}

#[test]
fn a_wrong_target_names_the_wrong_piece() {
    for (text, expected) in [
        ("", "the target is empty"),
        ("dns:", "target \"dns:\" names nothing to connect to"),
        ("dns:///", "target \"dns:///\" names nothing to connect to"),
        ("dns://8.8.8.8", "target \"dns://8.8.8.8\" names nothing to connect to"),
        ("unix:", "target \"unix:\" names nothing to connect to"),
        ("unix://", "target \"unix://\" names nothing to connect to"),
        ("unix://rel/s", "\"unix\" targets have no authority, but this one names \"rel\": write unix:PATH"),
        ("ipv4://1.2.3.4:80", "\"ipv4\" targets have no authority, but this one names \"1.2.3.4:80\": write ipv4:PATH"),
        ("dns:///h%zz", "path \"h%zz\": \"%zz\" is not a percent-escape"),
        ("dns:///h%2", "path \"h%2\": \"%2\" is not a percent-escape"),
        ("dns:///h%", "path \"h%\": \"%\" is not a percent-escape"),
        ("dns:///h%+1", "path \"h%+1\": \"%+1\" is not a percent-escape"),
        ("dns:///%ff", "path \"%ff\": decoded, it is not UTF-8 or has a NUL"),
        ("unix-abstract:a%00b", "path \"a%00b\": decoded, it is not UTF-8 or has a NUL"),
    ] {
        assert_eq!(parse(text).unwrap_err().to_string(), expected, "{text}");
    }
}

#[test]
fn host_and_port_come_apart() {
    for (text, host, port) in [
        ("h", "h", 443),
        ("h:1", "h", 1),
        ("h_1.example.:65535", "h_1.example.", 65535),
        ("1.2.3.4:80", "1.2.3.4", 80),
        ("::1", "::1", 443),
        ("[::1]", "::1", 443),
        ("[::1]:80", "::1", 80),
        ("[fe80::1%eth0]:80", "fe80::1%eth0", 80),
        ("fe80::1%eth0", "fe80::1%eth0", 443),
    ] {
        assert_eq!(host_and_port(text, 443), Ok((host, port)), "{text}");
    }
}

#[test]
fn a_wrong_host_or_port_is_named() {
    for (text, expected) in [
        ("h:0", "\"h:0\": the port \"0\" is not a number from 1 to 65535"),
        ("h:70000", "\"h:70000\": the port \"70000\" is not a number from 1 to 65535"),
        ("h:", "\"h:\": the port \"\" is not a number from 1 to 65535"),
        ("h:http", "\"h:http\": the port \"http\" is not a number from 1 to 65535"),
        ("h:+80", "\"h:+80\": the port \"+80\" is not a number from 1 to 65535"),
        ("[::1]:0", "\"[::1]:0\": the port \"0\" is not a number from 1 to 65535"),
        ("", "\"\" has no host"),
        (":80", "\":80\" has no host"),
        ("a:b:1", "\"a:b:1\": \"a:b\" is not a host name or an IP address"),
        ("::zz:1", "\"::zz:1\": \"::zz\" is not a host name or an IP address"),
        ("a b:1", "\"a b:1\": \"a b\" is not a host name or an IP address"),
        ("h/x:1", "\"h/x:1\": \"h/x\" is not a host name or an IP address"),
        ("user@h:1", "\"user@h:1\": \"user@h\" is not a host name or an IP address"),
        ("[::1", "\"[::1\": \"[::1\" is not a host name or an IP address"),
        ("[::1]x", "\"[::1]x\": \"[::1]x\" is not a host name or an IP address"),
        ("[h]:1", "\"[h]:1\": \"[h]:1\" is not a host name or an IP address"),
        ("[]:1", "\"[]:1\": \"[]:1\" is not a host name or an IP address"),
        ("h]:1", "\"h]:1\": \"h]\" is not a host name or an IP address"),
        ("1.1.1.1:1,2.2.2.2:2", "\"1.1.1.1:1,2.2.2.2:2\": \"1.1.1.1:1,2.2.2.2\" is not a host name or an IP address"),
    ] {
        assert_eq!(host_and_port(text, 443).unwrap_err().to_string(), expected, "{text}");
    }
}

#[test]
fn whatever_parses_has_a_canonical_text_that_parses_to_the_same() {
    const PIECES: [&str; 16] =
        ["dns", "unix", "ipv4", "xds", ":", "/", "//", "///", "%25", "%", "a", "é", "[::1]", "?", "@", " "];
    let mut random = Random::new(7);
    let mut parsed = 0;
    for _ in 0..20_000 {
        let length = 1 + random.below(8);
        let text: String = (0..length).map(|_| PIECES[random.below(16) as usize]).collect();
        if let Ok(target) = parse(&text) {
            parsed += 1;
            assert_eq!(parse(&target.to_string()), Ok(target.clone()), "{text:?} as {target}");
            assert!(target.default_authority().is_ascii(), "{text:?}");
            let _ = host_and_port(&target.path, 443);
        }
    }
    assert!(parsed > 10_000, "only {parsed} parsed");
}
