//! Connections within the process.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

#[tokio::test]
async fn bytes_travel_both_ways_between_the_connector_and_the_listener() {
    let mut listener = MemoryListener::new("greeter");
    let connector = listener.connector();
    let (ours, theirs) = tokio::join!(connector.connect(listener.address()), listener.accept());
    let (mut ours, mut theirs) = (ours.unwrap(), theirs);
    assert_eq!(ours.peer.remote, Some(Address::Opaque("greeter".into())));
    assert_eq!(theirs.peer.local, Some(Address::Opaque("greeter".into())));
    ours.io.write_all(b"ping").await.unwrap();
    let mut read = [0; 4];
    theirs.io.read_exact(&mut read).await.unwrap();
    theirs.io.write_all(b"pong").await.unwrap();
    ours.io.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"pong");
}

#[tokio::test]
async fn another_name_is_an_error_that_says_which_there_is() {
    let listener = MemoryListener::new("greeter");
    let error = listener.connector().connect(Address::Opaque("other".into())).await.unwrap_err();
    assert_eq!(error.to_string(), r#"no listener in memory is named "other"; this connector reaches "greeter""#);
}

#[tokio::test]
async fn a_listener_that_is_gone_refuses() {
    let listener = MemoryListener::new("greeter");
    let (connector, address) = (listener.connector(), listener.address());
    drop(listener);
    let error = connector.connect(address).await.unwrap_err();
    assert_eq!(error.to_string(), "connection refused");
}
