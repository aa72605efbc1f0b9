//! Which proxy, and what is said to it, against a scripted one.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex},
    net::TcpListener,
};

use super::*;
use crate::transport::connector::DefaultConnector;

fn proxy_for(https_proxy: &str, no_proxy: &str, target: &str) -> Option<String> {
    let proxy = from_variables(Some(https_proxy), Some(no_proxy), target).unwrap();
    proxy.map(|proxy| proxy.address().to_owned())
}

#[test]
fn a_url_becomes_host_and_port() {
    let address = |url| Proxy::parse(url).unwrap().address().to_owned();
    assert_eq!(address("http://proxy:3128"), "proxy:3128");
    assert_eq!(address("proxy:3128"), "proxy:3128");
    assert_eq!(address("HTTP://proxy/"), "proxy:443");
    assert_eq!(address("http://user:p%40ss@[::1]:3128/"), "[::1]:3128");
}

#[test]
fn user_and_password_become_basic_authorization() {
    let value = |url| Proxy::parse(url).unwrap().authorization.map(|v| v.to_str().unwrap().to_owned());
    assert_eq!(value("http://Aladdin:open%20sesame@p:1").as_deref(), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
    assert_eq!(value("http://user@p:1").as_deref(), Some("Basic dXNlcjo="));
    assert_eq!(value("http://100%:%zz@p:1").as_deref(), Some("Basic MTAwJToleno="));
    assert_eq!(value("http://p:1"), None);
    assert!(!format!("{:?}", Proxy::parse("http://u:secret@p:1").unwrap()).contains("secret"));
}

#[test]
fn what_is_not_a_proxy_is_named() {
    let error = |url| Proxy::parse(url).unwrap_err().to_string();
    assert_eq!(error("socks5://p:1"), r#"proxy scheme "socks5" is not supported: write http://host:port"#);
    assert!(error("http://p:99999").contains("99999"));
    assert!(Proxy::parse("http://").is_err());
    assert!(from_variables(Some("ftp://p"), None, "greeter:1").is_err());
}

#[test]
fn without_a_variable_there_is_no_proxy() {
    assert_eq!(from_variables(None, None, "greeter:1").unwrap(), None);
    assert_eq!(proxy_for("http://p:1", "", "greeter:1").as_deref(), Some("p:1"));
}

#[test]
fn local_targets_are_never_proxied() {
    for target in ["localhost:1", "LOCALHOST", "127.0.0.1:1", "127.9.9.9:1", "[::1]:1"] {
        assert_eq!(proxy_for("http://p:1", "", target), None, "{target}");
    }
}

#[test]
fn no_proxy_knows_names_suffixes_addresses_ranges_ports_and_everything() {
    let bypassed = [
        ("example.com", "example.com:1"),
        ("example.com", "a.b.Example.com:1"),
        (".example.com", "a.example.com:1"),
        ("*.example.com", "a.example.com:1"),
        ("example.com:50051", "example.com:50051"),
        ("one, example.com ,two", "example.com:1"),
        ("10.0.0.1", "10.0.0.1:1"),
        ("10.0.0.1:7", "10.0.0.1:7"),
        ("10.0.0.0/8", "10.9.9.9:1"),
        ("0.0.0.0/0", "10.9.9.9:1"),
        ("2001:db8::/32", "[2001:db8::7]:1"),
        ("[2001:db8::7]:1", "[2001:db8::7]:1"),
        ("2001:db8::7", "[2001:db8::7]:1"),
        ("*", "anything:1"),
    ];
    for (no_proxy, target) in bypassed {
        assert_eq!(proxy_for("http://p:1", no_proxy, target), None, "{no_proxy} covers {target}");
    }
    let proxied = [
        ("example.com", "notexample.com:1"),
        (".example.com", "example.com:1"),
        ("example.com:50051", "example.com:1"),
        ("10.0.0.1:7", "10.0.0.1:8"),
        ("10.0.0.0/8", "11.0.0.1:1"),
        ("10.0.0.0/33", "10.0.0.1:1"),
        ("10.0.0.0/8", "ten.example.com:1"),
        ("2001:db8::/32", "[2001:db9::7]:1"),
        ("nonsense:port", "nonsense:1"),
    ];
    for (no_proxy, target) in proxied {
        assert!(proxy_for("http://p:1", no_proxy, target).is_some(), "{no_proxy} does not cover {target}");
    }
}

#[test]
fn a_choice_may_be_made_by_hand() {
    let proxy = Proxy::parse("http://p:1").unwrap();
    assert_eq!(ProxyChoice::Via(proxy.clone()).for_target("localhost:1").unwrap(), Some(proxy));
    assert_eq!(ProxyChoice::Direct.for_target("greeter:1").unwrap(), None);
}

/// What a proxy that answers with `answer` was asked, and what came of it.
async fn ask(answer: &[u8], authorization: Option<&HeaderValue>) -> (String, Result<crate::io::BoxIo, String>) {
    let (ours, mut theirs) = duplex(64 << 10);
    let (opened, asked) = tokio::join!(tunnel::open(Box::new(ours), "greeter:50051", authorization), async {
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            asked.push(theirs.read_u8().await.unwrap());
        }
        theirs.write_all(answer).await.unwrap();
        drop(theirs);
        String::from_utf8(asked).unwrap()
    });
    (asked, opened.map_err(|error| error.to_string()))
}

#[tokio::test]
async fn the_proxy_is_asked_for_the_name_and_told_who_asks() {
    let (asked, opened) = ask(b"HTTP/1.1 200 OK\r\n\r\n", Some(&basic("user:pass"))).await;
    let mut lines = asked.lines();
    assert_eq!(lines.next(), Some("CONNECT greeter:50051 HTTP/1.1"));
    let rest: Vec<_> = lines.collect();
    assert!(rest.contains(&"Host: greeter:50051") && rest.contains(&"Proxy-Authorization: Basic dXNlcjpwYXNz"));
    assert!(opened.is_ok());
    let (asked, _) = ask(b"HTTP/1.1 200 OK\r\n\r\n", None).await;
    assert!(!asked.contains("Authorization"));
}

#[tokio::test]
async fn bytes_that_follow_the_answer_belong_to_the_server() {
    let (_, opened) = ask(b"HTTP/1.1 200 Connection established\r\nVia: p\r\n\r\nearly bytes", None).await;
    let mut read = String::new();
    opened.unwrap().read_to_string(&mut read).await.unwrap();
    assert_eq!(read, "early bytes");
}

#[tokio::test]
async fn an_answer_that_is_not_yes_is_repeated() {
    let said = |answer: &'static [u8]| async move { ask(answer, None).await.1.err().unwrap() };
    assert_eq!(
        said(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n").await,
        "answered CONNECT greeter:50051 with 407 Proxy Authentication Required"
    );
    assert_eq!(said(b"").await, "closed the connection without an answer to CONNECT greeter:50051");
    assert_eq!(said(b"SSH-2.0\r\n\r\n").await, "answered CONNECT greeter:50051 with something that is not HTTP/1");
    let long: &'static [u8] = Box::leak([b"HTTP/1.1 200 OK\r\nA: ".to_vec(), vec![b'a'; 20_000]].concat().into());
    assert!(said(long).await.ends_with("with more than 16384 bytes"));
}

#[tokio::test]
async fn the_default_connector_goes_through_its_proxy() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::parse(&listener.local_addr().unwrap().to_string()).unwrap();
    let connector = DefaultConnector::new().proxy(Some(proxy));
    let connecting = connector.connect("10.1.2.3:50051".parse::<std::net::SocketAddr>().unwrap().into());
    let (connected, first) = tokio::join!(connecting, async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            asked.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nhello").await.unwrap();
        String::from_utf8(asked).unwrap()
    });
    assert!(first.starts_with("CONNECT 10.1.2.3:50051 HTTP/1.1\r\n"));
    let mut read = String::new();
    connected.unwrap().io.read_to_string(&mut read).await.unwrap();
    assert_eq!(read, "hello");
}

#[test]
fn a_proxy_is_told_a_port_even_if_the_name_has_none() {
    assert_eq!(with_port("greeter:50051").unwrap(), "greeter:50051");
    assert_eq!(with_port("greeter").unwrap(), "greeter:443");
    assert_eq!(with_port("::1").unwrap(), "[::1]:443");
    assert!(with_port("greeter:70000").unwrap_err().to_string().contains("70000"));
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let connector = DefaultConnector::new().proxy(Some(Proxy::parse(&address.to_string()).unwrap()));
    let error = connector.connect(Address::Opaque("greeter:50051".into())).await.unwrap_err();
    assert_eq!(error.to_string(), format!("proxy {address}: connection refused"));
}
