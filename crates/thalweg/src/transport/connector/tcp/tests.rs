//! TCP over loopback.

use tokio::net::TcpListener;

use super::*;

#[tokio::test]
async fn an_address_is_reached_with_the_socket_options_that_grpc_wants() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connector = TcpConnector::new().user_timeout(Some(Duration::from_secs(20)));
    let stream = connector.open(address).await.unwrap();
    let socket = SockRef::from(&stream);
    assert!(stream.nodelay().unwrap() && socket.keepalive().unwrap());
    #[cfg(target_os = "linux")]
    assert_eq!(socket.tcp_user_timeout().unwrap(), Some(Duration::from_secs(20)));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_user_timeout_that_the_system_cannot_express_is_the_nearest_that_it_can() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    for (timeout, millis) in [(Duration::MAX, i32::MAX as u64), (Duration::from_micros(1), 1)] {
        let stream = TcpConnector::new().user_timeout(Some(timeout)).open(address).await.unwrap();
        let set = SockRef::from(&stream).tcp_user_timeout().unwrap();
        assert_eq!(set, Some(Duration::from_millis(millis)));
    }
}

#[tokio::test]
async fn the_peer_info_names_both_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = Address::Tcp(listener.local_addr().unwrap());
    let connected = TcpConnector::new().connect(address.clone()).await.unwrap();
    let (_, from) = listener.accept().await.unwrap();
    assert_eq!((connected.peer.remote, connected.peer.local), (Some(address), Some(Address::Tcp(from))));
}

#[tokio::test]
async fn a_name_is_resolved_by_the_system_and_its_addresses_tried_in_turn() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let name = format!("localhost:{}", listener.local_addr().unwrap().port());
    let connected = TcpConnector::new().connect(Address::Opaque(name.into())).await.unwrap();
    assert_eq!(connected.peer.remote, Some(Address::Tcp(listener.local_addr().unwrap())));
}

#[tokio::test]
async fn a_closed_port_refuses() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = Address::Tcp(listener.local_addr().unwrap());
    drop(listener);
    let error = TcpConnector::new().connect(address).await.unwrap_err();
    assert_eq!(error.to_string(), "connection refused");
}

#[tokio::test]
async fn names_without_a_port_or_malformed_and_other_kinds_of_address_are_errors() {
    let error = |address| async move { TcpConnector::new().connect(address).await.unwrap_err().to_string() };
    assert_eq!(error(Address::Opaque("greeter".into())).await, r#""greeter" has no port"#);
    assert!(error(Address::Opaque("greeter:70000".into())).await.contains("70000"));
    let unix = Address::Unix(std::path::Path::new("/tmp/x").into());
    assert_eq!(error(unix).await, "a TCP connector cannot reach it: unix:/tmp/x");
}

#[test]
fn a_name_none_of_whose_addresses_answers_says_what_each_said() {
    let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
    let address = |text: &str| text.parse::<SocketAddr>().unwrap();
    let one = none_answered("a:1", &[(address("10.0.0.1:1"), refused())]);
    assert_eq!(one.to_string(), "connection refused");
    let two = none_answered("a:1", &[(address("10.0.0.1:1"), refused()), (address("[::1]:1"), refused())]);
    assert_eq!(two.to_string(), "10.0.0.1:1 connection refused, [::1]:1 connection refused");
    assert_eq!(none_answered("a:1", &[]).to_string(), r#""a:1" has no addresses"#);
}
