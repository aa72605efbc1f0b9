//! A channel to a server that goes by a script, frame by frame.

use bytes::Bytes;
use prost::Message;
use thalweg::{Channel, channel::ChannelBuilder};
use thalweg_proto::demo::{HelloReply, HelloRequest};
use thalweg_testkit::{
    network::{Listener, Network},
    peer::{Head, Peer},
};
use tokio::task::JoinHandle;
use tonic::Status;

use super::{call, fleet::ONE, named};

/// The head of a good response.
pub(crate) const HEAD: &[(&str, &str)] = &[(":status", "200"), ("content-type", "application/grpc")];
/// The end of a good response.
pub(crate) const END: &[(&str, &str)] = &[("grpc-status", "0")];

/// HTTP/2's NO_ERROR.
pub(crate) const NO_ERROR: u32 = 0;
/// HTTP/2's CANCEL.
pub(crate) const CANCEL: u32 = 8;
/// HTTP/2's REFUSED_STREAM.
pub(crate) const REFUSED: u32 = 7;

/// What a unary call comes to.
pub(crate) type Outcome = JoinHandle<Result<HelloReply, Status>>;

/// A channel, and the place where its connections arrive.
pub(crate) struct Script {
    pub(crate) channel: Channel,
    pub(crate) listener: Listener,
}

impl Script {
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub(crate) fn with(configure: impl FnOnce(ChannelBuilder) -> ChannelBuilder) -> Self {
        let network = Network::new();
        let listener = network.listen(ONE);
        let builder = Channel::builder(format!("ipv4:{ONE}")).connector(network);
        let channel = configure(builder).build().unwrap();
        Self { channel, listener }
    }

    /// The next connection, with the SETTINGS exchanged.
    pub(crate) async fn accept(&mut self) -> Peer {
        self.accept_with(&[]).await
    }

    pub(crate) async fn accept_with(&mut self, settings: &[(u16, u32)]) -> Peer {
        let mut peer = Peer::new(self.listener.accept().await.io);
        peer.expect_preface().await;
        peer.send_settings(settings).await;
        peer
    }

    /// A unary call that has reached the server, on a connection of its own.
    pub(crate) async fn call(&mut self) -> (Outcome, Peer, Head) {
        let outcome = call(&self.channel, named("ann"));
        let mut peer = self.accept().await;
        let head = peer.expect_headers().await;
        (outcome, peer, head)
    }
}

/// The name in a request message.
pub(crate) fn name_in(message: Bytes) -> String {
    HelloRequest::decode(message).unwrap().name
}

/// A reply, encoded.
pub(crate) fn reply(message: &str) -> Vec<u8> {
    HelloReply { message: message.to_owned(), ..HelloReply::default() }.encode_to_vec()
}

/// Answers a call in full.
pub(crate) async fn answer(peer: &mut Peer, stream: u32, message: &str) {
    peer.send_headers(stream, HEAD).await;
    peer.send_message(stream, &reply(message)).await;
    peer.send_trailers(stream, END).await;
}
