//! Which kind of address goes where.

use tokio::net::{TcpListener, UnixListener};

use super::*;

#[cfg(unix)]
#[tokio::test]
async fn unix_sockets_are_reached_by_path_even_with_a_proxy() {
    let path = std::env::temp_dir().join(format!("thalweg-connector-{}.sock", std::process::id()));
    let listener = UnixListener::bind(&path).unwrap();
    let address = Address::Unix(path.as_path().into());
    let connector = DefaultConnector::new().proxy(Some(Proxy::parse("http://nowhere.invalid:1").unwrap()));
    let (connected, accepted) = tokio::join!(connector.connect(address.clone()), listener.accept());
    assert_eq!(connected.unwrap().peer.remote, Some(address.clone()));
    accepted.unwrap();
    std::fs::remove_file(&path).unwrap();
    let error = connector.connect(address).await.unwrap_err();
    assert_eq!(error.to_string(), "no such file or directory");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn abstract_unix_sockets_are_reached_by_name() {
    let name = format!("thalweg-connector-{}", std::process::id());
    let listener = UnixListener::bind(format!("\0{name}")).unwrap();
    let address = Address::UnixAbstract(name.into_bytes().into());
    let connector = UnixConnector::new();
    let (connected, accepted) = tokio::join!(connector.connect(address.clone()), listener.accept());
    assert_eq!(connected.unwrap().peer.remote, Some(address));
    accepted.unwrap();
}

#[tokio::test]
async fn tcp_addresses_are_reached_directly_without_a_proxy() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connector = DefaultConnector::new().tcp_user_timeout(Some(Duration::from_secs(20)));
    let address: Address = listener.local_addr().unwrap().into();
    assert_eq!(connector.connect(address.clone()).await.unwrap().peer.remote, Some(address));
}

#[tokio::test]
async fn a_unix_connector_reaches_nothing_else() {
    let error = UnixConnector::new().connect(Address::Opaque("greeter:1".into())).await.unwrap_err();
    assert_eq!(error.to_string(), "a Unix socket connector cannot reach it: greeter:1");
}
