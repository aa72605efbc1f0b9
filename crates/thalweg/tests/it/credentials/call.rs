//! Call credentials: what reaches the handler, what is refused, and how failures look.

use std::sync::Arc;

use bytes::Bytes;
use thalweg::{
    BoxFuture, Channel,
    channel::ChannelBuilder,
    credentials::{
        ChannelCredentials, ServerCredentials,
        call::{AllowInsecure, CachedToken, CallContext, CallCredentials, Token, TokenSource},
    },
    error::LocalError,
    request::RequestExt,
    server::Listener,
};
use thalweg_testkit::{certs::Authority, network::Network, stub::StubServer};
use tonic::{Code, Request, Status, metadata::MetadataMap};

use super::{BACKEND, TARGET, call, mirror, send};

/// Says for which service and host it was asked.
#[derive(Debug)]
struct Audience;

impl CallCredentials for Audience {
    fn metadata<'a>(&'a self, call: CallContext<'a>) -> BoxFuture<'a, Result<MetadataMap, Status>> {
        Box::pin(async move {
            let mut metadata = MetadataMap::new();
            metadata.insert("audience", call.service_url().parse().unwrap());
            Ok(metadata)
        })
    }
}

/// Fails with this status.
#[derive(Debug)]
struct Fails(Status);

impl CallCredentials for Fails {
    fn metadata<'a>(&'a self, _: CallContext<'a>) -> BoxFuture<'a, Result<MetadataMap, Status>> {
        Box::pin(async { Err(self.0.clone()) })
    }
}

#[derive(Debug)]
struct Secret;

impl TokenSource for Secret {
    fn fetch(&self) -> BoxFuture<'_, Result<Token, Status>> {
        Box::pin(async { Token::bearer("secret", None) })
    }
}

/// A backend that says what credentials came with the request.
async fn serve(network: &Network, credentials: ServerCredentials) -> StubServer {
    let seen = mirror(|request| {
        let value = |key| request.metadata().get(key).map_or("-", |value| value.to_str().unwrap());
        format!("{} {}", value("authorization"), value("audience"))
    });
    seen.serve(Listener::from(network.listen(BACKEND)).with_credentials(credentials)).await
}

/// A network, and a TLS backend and channel on it.
async fn over_tls() -> (Network, StubServer, ChannelBuilder) {
    let (network, ca) = (Network::new(), Authority::new("ca"));
    let leaf = ca.server(&["greeter"]);
    let server = ServerCredentials::tls().identity_pem(leaf.chain, leaf.key).build().unwrap();
    let server = serve(&network, server).await;
    let client = ChannelCredentials::tls().roots_pem(ca.pem()).build().unwrap();
    let channel = Channel::builder(TARGET).connector(network.clone()).credentials(client).authority("greeter");
    (network, server, channel)
}

#[tokio::test(start_paused = true)]
async fn the_channels_and_the_calls_credentials_both_reach_the_handler() {
    let (_network, _server, channel) = over_tls().await;
    let channel = channel.call_credentials(CachedToken::new(Secret)).build().unwrap();
    assert_eq!(call(&channel).await.unwrap(), "Bearer secret -");
    let mut request = Request::new(Bytes::new());
    request.set_call_credentials(Arc::new(Audience));
    assert_eq!(send(&channel, request).await.unwrap(), "Bearer secret https://greeter/test.Mirror");
}

#[tokio::test(start_paused = true)]
async fn over_plaintext_credentials_are_refused_before_they_are_asked_unless_allowed() {
    let network = Network::new();
    let server = serve(&network, ServerCredentials::insecure()).await;
    let plain = || Channel::builder(TARGET).connector(network.clone());
    assert!(plain().call_credentials(CachedToken::new(Secret)).build().is_err());
    let channel = plain().build().unwrap();
    let mut request = Request::new(Bytes::new());
    request.set_call_credentials(Arc::new(CachedToken::new(Secret)));
    let status = send(&channel, request).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    assert!(matches!(LocalError::of(&status), Some(LocalError::CallCredentials(_))));
    assert_eq!(server.calls(), 0);
    let allowed = plain().call_credentials(AllowInsecure(CachedToken::new(Secret))).build().unwrap();
    assert_eq!(call(&allowed).await.unwrap(), "Bearer secret -");
}

#[tokio::test(start_paused = true)]
async fn failing_credentials_end_the_call_and_codes_of_applications_become_internal() {
    let (_network, server, channel) = over_tls().await;
    let channel = channel.build().unwrap();
    for (given, seen) in [
        (Code::Unavailable, Code::Unavailable),
        (Code::Unauthenticated, Code::Unauthenticated),
        (Code::NotFound, Code::Internal),
    ] {
        let mut request = Request::new(Bytes::new());
        request.set_call_credentials(Arc::new(Fails(Status::new(given, "no token today"))));
        let status = send(&channel, request).await.unwrap_err();
        assert_eq!(status.code(), seen);
        assert!(status.message().contains("no token today"), "{status:?}");
        assert!(matches!(LocalError::of(&status), Some(LocalError::CallCredentials(_))));
    }
    assert_eq!(server.calls(), 0);
}
