//! Real sockets, which forget what was said last if they are closed with bytes unread.

use thalweg::Server;
use thalweg_testkit::{
    peer::Peer,
    wire::frame::{Frame, PREFACE},
};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::{CALM, bytes::ping, expect_goodbye};
use crate::server::fixture::greeter;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_hears_why_it_was_cut_off_however_much_it_still_sends() {
    let (greeter, _events) = greeter();
    let server = Server::builder().add_service(greeter).listen("127.0.0.1:0").bind().await.unwrap();
    let port = server.local_port().unwrap();
    tokio::spawn(server.run());
    for _ in 0..20 {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let mut said = bytes::BytesMut::from(PREFACE);
        Frame::settings(&[]).encode(&mut said);
        socket.write_all(&said).await.unwrap();
        let pings = ping().repeat(1000);
        while socket.write_all(&pings).await.is_ok() {}
        let mut client = Peer::new(socket);
        client.mute();
        assert_eq!(expect_goodbye(&mut client).await, (CALM, "too_many_pings".to_owned()));
    }
}
