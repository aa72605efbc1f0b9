//! TLS between a channel and a server, and what a caller reads when it fails.

use thalweg::{
    Channel,
    channel::ChannelBuilder,
    context::ServerRequestExt,
    credentials::{ChannelCredentials, ServerCredentials},
    error::LocalError,
    server::Listener,
};
use thalweg_testkit::{
    certs::{Authority, Identity},
    network::Network,
    stub::StubServer,
};
use tonic::Code;

use super::{BACKEND, TARGET, call, mirror};

fn server_credentials(identity: &Identity) -> ServerCredentials {
    ServerCredentials::tls().identity_pem(&*identity.chain, &*identity.key).build().unwrap()
}

fn trusting(authority: &Authority) -> ChannelCredentials {
    ChannelCredentials::tls().roots_pem(authority.pem()).build().unwrap()
}

/// A backend that says how many certificates its client showed, and for which name it asked.
async fn serve(network: &Network, credentials: ServerCredentials) -> StubServer {
    let seen = mirror(|request| match request.peer().and_then(|peer| peer.tls.as_deref()) {
        Some(tls) => format!("{} {}", tls.peer_certificates.len(), tls.server_name.as_deref().unwrap_or("-")),
        None => "plaintext".to_owned(),
    });
    seen.serve(Listener::from(network.listen(BACKEND)).with_credentials(credentials)).await
}

fn channel(network: &Network, credentials: ChannelCredentials) -> ChannelBuilder {
    Channel::builder(TARGET).connector(network.clone()).credentials(credentials).authority("greeter:50051")
}

/// The message with which a call fails.
async fn failure(network: &Network, credentials: ChannelCredentials) -> String {
    let status = call(&channel(network, credentials).build().unwrap()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    assert_eq!(LocalError::of(&status), Some(&LocalError::NoBackend), "{status:?}");
    status.message().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_call_over_tls_reaches_the_handler_which_sees_the_name_that_was_asked_for() {
    let (network, ca) = (Network::new(), Authority::new("ca"));
    let _server = serve(&network, server_credentials(&ca.server(&["greeter"]))).await;
    let channel = channel(&network, trusting(&ca)).build().unwrap();
    assert_eq!(call(&channel).await.unwrap(), "0 greeter");
}

#[tokio::test(start_paused = true)]
async fn mutual_tls_shows_the_handler_the_clients_certificate() {
    let (network, ca) = (Network::new(), Authority::new("ca"));
    let (leaf, user) = (ca.server(&["greeter"]), ca.client("alice"));
    let server = ServerCredentials::tls().identity_pem(leaf.chain, leaf.key).client_ca_pem(ca.pem()).build().unwrap();
    let _server = serve(&network, server).await;
    let client = ChannelCredentials::tls().roots_pem(ca.pem()).identity_pem(user.chain, user.key).build().unwrap();
    assert_eq!(call(&channel(&network, client).build().unwrap()).await.unwrap(), "1 greeter");
}

#[tokio::test(start_paused = true)]
async fn a_certificate_for_another_name_fails_the_call_with_both_names() {
    let (network, ca) = (Network::new(), Authority::new("ca"));
    let _server = serve(&network, server_credentials(&ca.server(&["other"]))).await;
    let message = failure(&network, trusting(&ca)).await;
    let why = r#"10.0.0.1:50051 TLS: certificate not valid for name "greeter"; it is for ["other"]"#;
    assert!(message.contains(why), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_server_name_overrides_the_authority_for_tls_alone() {
    let (network, ca) = (Network::new(), Authority::new("ca"));
    let _server = serve(&network, server_credentials(&ca.server(&["other"]))).await;
    let client = ChannelCredentials::tls().roots_pem(ca.pem()).server_name("other").build().unwrap();
    assert_eq!(call(&channel(&network, client).build().unwrap()).await.unwrap(), "0 other");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_authority_or_an_expired_certificate_fails_the_call_in_plain_words() {
    let (network, ca) = (Network::new(), Authority::new("ca"));
    let expired = serve(&network, server_credentials(&ca.expired_server(&["greeter"]))).await;
    let message = failure(&network, trusting(&ca)).await;
    assert!(message.contains("10.0.0.1:50051 TLS: certificate expired "), "{message}");
    drop(expired);
    let _good = serve(&network, server_credentials(&ca.server(&["greeter"]))).await;
    let message = failure(&network, trusting(&Authority::new("stranger"))).await;
    assert!(message.contains("10.0.0.1:50051 TLS: certificate signed by an unknown authority"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_missing_client_certificate_fails_the_call_and_says_what_the_server_wants() {
    let (network, ca) = (Network::new(), Authority::new("ca"));
    let leaf = ca.server(&["greeter"]);
    let server = ServerCredentials::tls().identity_pem(leaf.chain, leaf.key).client_ca_pem(ca.pem()).build().unwrap();
    let _server = serve(&network, server).await;
    let message = failure(&network, trusting(&ca)).await;
    assert!(message.contains("TLS: the peer requires a certificate, and we have none to show"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn tls_to_a_plaintext_server_and_plaintext_to_a_tls_server_fail_without_hanging() {
    let (network, ca) = (Network::new(), Authority::new("ca"));
    let server = serve(&network, ServerCredentials::insecure()).await;
    let message = failure(&network, trusting(&ca)).await;
    assert!(message.contains("10.0.0.1:50051 TLS: "), "{message}");
    drop(server);
    let _server = serve(&network, server_credentials(&ca.server(&["greeter"]))).await;
    let message = failure(&network, ChannelCredentials::insecure()).await;
    assert!(message.contains("10.0.0.1:50051 "), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_fails_its_handshake_harms_no_other() {
    let (network, ca) = (Network::new(), Authority::new("ca"));
    let _server = serve(&network, server_credentials(&ca.server(&["greeter"]))).await;
    let good = channel(&network, trusting(&ca)).build().unwrap();
    call(&good).await.unwrap();
    for _ in 0..3 {
        failure(&network, trusting(&Authority::new("stranger"))).await;
        assert_eq!(call(&good).await.unwrap(), "0 greeter");
    }
    assert_eq!(call(&channel(&network, trusting(&ca)).build().unwrap()).await.unwrap(), "0 greeter");
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_is_never_answered_ends_with_the_attempt() {
    let (network, ca) = (Network::new(), Authority::new("ca"));
    let mut listener = network.listen(BACKEND);
    let _held = tokio::spawn(async move { (listener.accept().await, std::future::pending::<()>().await) });
    let message = failure(&network, trusting(&ca)).await;
    assert!(message.contains("10.0.0.1:50051 the TLS handshake took longer than 20s"), "{message}");
}
