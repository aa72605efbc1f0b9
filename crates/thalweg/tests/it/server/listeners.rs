//! Several listeners at once, each with its own credentials, through every trouble; and those that cannot be.

use std::{
    io::ErrorKind,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use thalweg::{
    Server,
    core::endpoint::Address,
    server::{Listener, ServerError},
    transport::{Connector as _, connector::memory::MemoryListener, options::Http2Options},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    net::{TcpListener, TcpStream, UnixStream},
};
use tokio_stream::Stream;
use tonic::Code;

use super::fixture::{Client, SAY_HELLO, World, greeter, hello};

/// A path in a directory of this process alone.
fn socket_path(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("thalweg-{}-{name}.sock", std::process::id()))
}

/// Calls and returns what the handler knows of its peer.
async fn peer(io: impl thalweg::io::Io) -> String {
    let answer = Client::new(io).await.call(SAY_HELLO, hello("peer")).await;
    assert_eq!(answer.code(), Code::Ok);
    answer.messages().remove(0)
}

#[tokio::test]
async fn one_server_listens_on_tcp_unix_sockets_and_in_memory() {
    let (path, (service, _events)) = (socket_path("all"), greeter());
    let memory = MemoryListener::new("greeter");
    let connector = memory.connector();
    let bound = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Server::builder()
        .add_service(service)
        .listen("127.0.0.1:0")
        .listen(bound)
        .listen(format!("unix:{}", path.display()))
        .listen(memory)
        .bind()
        .await
        .unwrap();
    let addresses = server.local_addrs();
    let [Address::Tcp(one), Address::Tcp(two), unix, Address::Opaque(name)] = &addresses[..] else {
        panic!("{addresses:?}")
    };
    assert_eq!(server.local_port(), Some(one.port()));
    assert!(one.port() != 0 && one != two);
    assert_eq!((unix, &**name), (&Address::Unix(path.as_path().into()), "greeter"));
    let handle = server.handle();
    let run = tokio::spawn(server.run());
    for address in [one, two] {
        let stream = TcpStream::connect(address).await.unwrap();
        let ours = stream.local_addr().unwrap();
        let said = peer(stream).await;
        assert!(said.contains(&format!("remote: Some(Tcp({ours}))")), "{said}");
    }
    let said = peer(UnixStream::connect(&path).await.unwrap()).await;
    assert!(said.contains(&format!("local: Some(Unix({path:?}))")), "{said}");
    let connected = connector.connect(Address::Opaque("greeter".into())).await.unwrap();
    peer(connected.io).await;
    handle.stop();
    run.await.unwrap();
    assert!(!path.exists(), "the socket's file is left behind");
    assert!(TcpStream::connect(one).await.is_err());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_abstract_socket_is_a_listener_too() {
    use std::os::{linux::net::SocketAddrExt, unix::net as unix};

    let (name, (service, _events)) = (format!("thalweg-{}", std::process::id()), greeter());
    let server = Server::builder().add_service(service).listen(format!("unix-abstract:{name}")).bind().await.unwrap();
    tokio::spawn(server.run());
    let address = unix::SocketAddr::from_abstract_name(&name).unwrap();
    let stream = unix::UnixStream::connect_addr(&address).unwrap();
    stream.set_nonblocking(true).unwrap();
    let said = peer(UnixStream::from_std(stream).unwrap()).await;
    assert!(said.contains("UnixAbstract"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn accept_errors_end_no_listener() {
    let world = World::plain().await;
    for kind in [ErrorKind::ConnectionAborted, ErrorKind::OutOfMemory, ErrorKind::Other, ErrorKind::Other] {
        world.accept_error(kind).await;
    }
    assert_eq!(world.connect().await.call(SAY_HELLO, hello("ann")).await.code(), Code::Ok);
}

/// A stream of connections that yields nothing but errors, as fast as it is asked, for a long while.
struct Broken(Arc<AtomicU32>);

impl Broken {
    const LONG: u32 = 100_000;
}

impl Stream for Broken {
    type Item = std::io::Result<DuplexStream>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let count = self.0.fetch_add(1, Relaxed);
        Poll::Ready((count < Self::LONG).then(|| Err(ErrorKind::ConnectionReset.into())))
    }
}

#[tokio::test]
async fn a_listener_that_has_nothing_but_errors_is_stopped_all_the_same() {
    let count = Arc::new(AtomicU32::new(0));
    let listener = Listener::incoming(Broken(Arc::clone(&count)));
    let server = Server::builder().listen(listener).bind().await.unwrap();
    let handle = server.handle();
    let run = tokio::spawn(server.run());
    tokio::task::yield_now().await;
    handle.graceful_stop(Duration::ZERO).await;
    run.await.unwrap();
    assert!(count.load(Relaxed) < Broken::LONG, "it did not hear of the stop");
}

async fn refused(listener: impl Into<Listener>) -> ServerError {
    Server::builder().listen(listener).bind().await.unwrap_err()
}

#[tokio::test]
async fn a_listener_that_cannot_be_is_named() {
    let holder = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let taken = holder.local_addr().unwrap();
    assert_eq!(refused(taken).await.to_string(), format!("cannot listen on {taken}: address already in use"));
    let missing = "unix:/no/such/directory/greeter.sock";
    assert_eq!(refused(missing).await.to_string(), format!("cannot listen on {missing}: no such file or directory"));
    let error = refused("127.0.0.1:70000").await;
    assert!(matches!(&error, ServerError::Address { address, .. } if address == "127.0.0.1:70000"), "{error}");
    assert!(error.to_string().contains("70000") && error.to_string().contains("port"), "{error}");
}

#[tokio::test]
async fn a_server_that_cannot_be_is_refused() {
    assert_eq!(Server::builder().bind().await.unwrap_err(), ServerError::NoListener);
    let twice = Server::builder().add_service(greeter().0).add_service(greeter().0).listen("127.0.0.1:0");
    assert_eq!(twice.bind().await.unwrap_err().to_string(), "two services are named \"thalweg.demo.v1.Greeter\"");
    let options = Http2Options { max_frame_size: 1, ..Http2Options::default() };
    let error = Server::builder().http2(options).listen("127.0.0.1:0").bind().await.unwrap_err();
    assert!(error.to_string().contains("max_frame_size"), "{error}");
}

#[cfg(feature = "tls")]
mod tls {
    //! TLS per listener.

    use thalweg::{
        Channel,
        credentials::{ChannelCredentials, ServerCredentials},
    };
    use thalweg_proto::demo::{HelloRequest, greeter_client::GreeterClient};
    use thalweg_testkit::certs::Authority;

    use super::*;

    #[tokio::test]
    async fn a_listener_has_its_own_credentials_and_a_bad_client_harms_nobody() {
        let ca = Authority::new("test");
        let (server, client) = (ca.server(&["localhost"]), ca.client("ann"));
        let credentials =
            ServerCredentials::tls().identity_pem(server.chain, server.key).client_ca_pem(ca.pem()).build().unwrap();
        let (service, _events) = greeter();
        let server = Server::builder()
            .add_service(service)
            .listen(Listener::from("127.0.0.1:0").with_credentials(credentials))
            .listen("127.0.0.1:0")
            .bind()
            .await
            .unwrap();
        let [Address::Tcp(secure), Address::Tcp(plain)] = server.local_addrs()[..] else { panic!("two TCP listeners") };
        tokio::spawn(server.run());

        let mut bad = TcpStream::connect(secure).await.unwrap();
        bad.write_all(b"this is no TLS at all, whatever you take it for").await.unwrap();
        let _ = bad.read_to_end(&mut vec![]).await;

        let credentials =
            ChannelCredentials::tls().roots_pem(ca.pem()).identity_pem(client.chain, client.key).build().unwrap();
        let channel = Channel::builder(format!("dns:///localhost:{}", secure.port())).credentials(credentials);
        let mut greeter = GreeterClient::new(channel.build().unwrap());
        let reply = greeter.say_hello(HelloRequest { name: "peer".to_owned() }).await.unwrap();
        assert!(reply.get_ref().message.contains("peer_certificates: 1"), "{reply:?}");

        let said = peer(TcpStream::connect(plain).await.unwrap()).await;
        assert!(said.contains("tls: None"), "{said}");
    }
}
