//! Peers that break the rules of HTTP/2, or keep them and make useless work: what ends, with which words, and that honest
//! peers who do much of the same are left alone.

mod bytes;
mod counted;
mod honest;
mod servers;
mod sockets;
mod stalls;
mod storms;
mod violations;

use thalweg::server::ServerBuilder;
use thalweg_testkit::peer::Peer;

use crate::server::fixture::{SAY_HELLO, World, hello};

/// HTTP/2's ENHANCE_YOUR_CALM.
const CALM: u32 = 11;

/// A server, and a client that goes by a script.
async fn attacked(configure: impl FnOnce(ServerBuilder) -> ServerBuilder) -> (World, Peer) {
    let world = World::new(configure).await;
    let client = connect(&world).await;
    (world, client)
}

/// A client of the server's that goes by a script and has greeted it.
async fn connect(world: &World) -> Peer {
    let mut client = Peer::new(world.pipe().await);
    client.send_preface(&[]).await;
    client.expect_settings().await;
    client.expect_settings_ack().await;
    client
}

/// Makes a whole call. Its code.
async fn greet(client: &mut Peer) -> String {
    let stream = client.send_request(SAY_HELLO, &[]).await;
    client.send_data(stream, &hello("ann")).await;
    client.send_end(stream).await;
    answer_to(client, stream).await
}

/// Reads a whole answer. Its code.
async fn answer_to(client: &mut Peer, stream: u32) -> String {
    let mut head = client.expect_headers_on(stream).await;
    if !head.end {
        client.expect_message(stream).await;
        head = client.expect_headers_on(stream).await;
    }
    head.headers.get("grpc-status").unwrap().to_owned()
}

/// The other end says why it goes away, and does.
async fn expect_goodbye(peer: &mut Peer) -> (u32, String) {
    let away = peer.expect_go_away().await;
    peer.expect_close().await;
    (away.code, String::from_utf8(away.debug.to_vec()).unwrap())
}
