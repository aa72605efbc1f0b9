//! The protocol at work, seen frame by frame from the other end: windows, turns, settings, and the ends of connections.

mod adaptive;
mod backpressure;
mod batching;
mod deadlines;
mod goodbyes;
mod lists;
mod replacing;
mod settings;
mod turns;
mod unread;
mod windows;

use thalweg::transport::Connector;
use thalweg_proto::demo::{HelloRepeatedlyRequest, HelloReply};
use thalweg_testkit::{network::Network, peer::Peer};
use tokio::task::JoinHandle;
use tonic::{Request, Status, Streaming};

use crate::support::{client, fleet::ONE, script::Script};

/// SETTINGS_HEADER_TABLE_SIZE.
const TABLE_SIZE: u16 = 1;
/// SETTINGS_MAX_CONCURRENT_STREAMS.
const MAX_STREAMS: u16 = 3;
/// SETTINGS_INITIAL_WINDOW_SIZE.
const WINDOW: u16 = 4;
/// SETTINGS_MAX_FRAME_SIZE.
const FRAME_SIZE: u16 = 5;
/// SETTINGS_MAX_HEADER_LIST_SIZE.
const LIST_SIZE: u16 = 6;

/// No window may be larger.
const LARGEST: u32 = (1 << 31) - 1;
/// A window before anybody has changed it.
const INITIAL: u32 = 65_535;

/// A stream of replies that somebody asks for.
fn ask(script: &Script) -> JoinHandle<Result<Streaming<HelloReply>, Status>> {
    ask_with(script, Request::new(HelloRepeatedlyRequest::default()))
}

fn ask_with(
    script: &Script,
    request: Request<HelloRepeatedlyRequest>,
) -> JoinHandle<Result<Streaming<HelloReply>, Status>> {
    let mut client = client(&script.channel);
    tokio::spawn(async move { client.say_hello_repeatedly(request).await.map(tonic::Response::into_inner) })
}

/// Reads a whole request. Its stream.
async fn read_request(peer: &mut Peer) -> u32 {
    let stream = peer.expect_headers().await.stream;
    peer.expect_message(stream).await;
    peer.expect_end(stream).await;
    stream
}

/// A client that goes by a script, of the server at [`ONE`].
async fn dial(network: &Network) -> Peer {
    Peer::new(network.connect(network.host(ONE).address()).await.unwrap().io)
}
