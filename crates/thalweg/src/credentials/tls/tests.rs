//! Handshakes over in-memory streams, with certificates made on the spot, and everything that is wrong with them.

use std::{path::Path, sync::Arc};

use rustls::{ClientConfig, RootCertStore, ServerConfig};
use thalweg_testkit::certs::{Authority, Identity};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use super::*;
use crate::{
    credentials::{ChannelCredentials, CredentialsError, PemOrigin, ServerCredentials},
    io::{BoxIo, PeerInfo},
};

type Secured = Result<(BoxIo, PeerInfo), ConnectError>;

/// Both ends of a handshake for `authority`.
async fn handshake(client: &ChannelCredentials, server: &ServerCredentials, authority: &str) -> (Secured, Secured) {
    let (a, b) = duplex(64 << 10);
    tokio::join!(
        client.secure(Box::new(a), PeerInfo::default(), authority),
        server.accept(Box::new(b), PeerInfo::default())
    )
}

fn server(identity: &Identity) -> ServerCredentials {
    ServerCredentials::tls().identity_pem(&*identity.chain, &*identity.key).build().unwrap()
}

fn client_of(authority: &Authority) -> ClientTls {
    ChannelCredentials::tls().roots_pem(authority.pem())
}

fn text(result: Secured) -> String {
    result.map(|(_, peer)| peer).unwrap_err().to_string()
}

#[tokio::test]
async fn a_good_handshake_says_what_was_negotiated_and_carries_bytes() {
    let ca = Authority::new("ca");
    let server = server(&ca.server(&["greeter"]));
    let client = client_of(&ca).build().unwrap();
    assert!(client.is_secure());
    let (ours, theirs) = handshake(&client, &server, "greeter:50051").await;
    let ((mut ours, our_peer), (mut theirs, their_peer)) = (ours.unwrap(), theirs.unwrap());

    let tls = our_peer.tls.unwrap();
    assert_eq!((tls.protocol.as_str(), tls.server_name.as_deref()), ("TLSv1_3", Some("greeter")));
    assert_eq!(tls.peer_certificates.len(), 1);
    assert!(tls.cipher_suite.starts_with("TLS13_"), "{}", tls.cipher_suite);
    let tls = their_peer.tls.unwrap();
    assert_eq!((tls.server_name.as_deref(), tls.peer_certificates.len()), (Some("greeter"), 0));

    ours.write_all(b"hello").await.unwrap();
    ours.flush().await.unwrap();
    let mut read = [0; 5];
    theirs.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"hello");
}

#[tokio::test]
async fn a_certificate_for_another_name_says_both_names() {
    let ca = Authority::new("ca");
    let (ours, theirs) =
        handshake(&client_of(&ca).build().unwrap(), &server(&ca.server(&["other", "10.0.0.1"])), "greeter:50051").await;
    let said = text(ours);
    assert!(said.starts_with(r#"TLS: certificate not valid for name "greeter"; it is for ["other", "#), "{said}");
    assert!(said.contains("10.0.0.1"), "{said}");
    assert_eq!(text(theirs), "TLS: the peer does not accept our certificate");
}

#[tokio::test]
async fn a_server_name_overrides_the_authority() {
    let ca = Authority::new("ca");
    let client = client_of(&ca).server_name("other").build().unwrap();
    let (ours, theirs) = handshake(&client, &server(&ca.server(&["other"])), "greeter:50051").await;
    assert!(ours.is_ok());
    assert_eq!(theirs.unwrap().1.tls.unwrap().server_name.as_deref(), Some("other"));
}

#[tokio::test]
async fn an_ip_address_is_a_name_too_with_brackets_or_without() {
    let ca = Authority::new("ca");
    let client = client_of(&ca).build().unwrap();
    let server = server(&ca.server(&["::1", "127.0.0.1"]));
    for authority in ["[::1]:50051", "::1", "127.0.0.1:1"] {
        assert!(handshake(&client, &server, authority).await.0.is_ok(), "{authority}");
    }
}

#[tokio::test]
async fn an_authority_that_no_certificate_can_bear_is_refused() {
    let ca = Authority::new("ca");
    let client = client_of(&ca).build().unwrap();
    let said = text(handshake(&client, &server(&ca.server(&["a"])), "not a name").await.0);
    assert_eq!(said, r#"TLS: no certificate can be for "not a name": set a server name"#);
}

#[tokio::test]
async fn an_unknown_authority_is_refused_by_either_side() {
    let (ca, stranger) = (Authority::new("ca"), Authority::new("stranger"));
    let (ours, theirs) = handshake(&client_of(&ca).build().unwrap(), &server(&stranger.server(&["a"])), "a").await;
    assert_eq!(text(ours), "TLS: certificate signed by an unknown authority");
    assert_eq!(text(theirs), "TLS: the peer does not know the authority that signed our certificate");
}

#[tokio::test]
async fn an_expired_certificate_says_since_when() {
    let ca = Authority::new("ca");
    let (ours, _) = handshake(&client_of(&ca).build().unwrap(), &server(&ca.expired_server(&["a"])), "a").await;
    let said = text(ours);
    assert!(said.starts_with("TLS: certificate expired ") && said.ends_with(" days ago"), "{said}");
}

#[tokio::test]
async fn mutual_tls_shows_the_server_the_clients_certificate() {
    let ca = Authority::new("ca");
    let (leaf, user) = (ca.server(&["a"]), ca.client("alice"));
    let server = ServerCredentials::tls().identity_pem(leaf.chain, leaf.key).client_ca_pem(ca.pem()).build().unwrap();
    let client = client_of(&ca).identity_pem(user.chain, user.key).build().unwrap();
    let (ours, theirs) = handshake(&client, &server, "a").await;
    assert!(ours.is_ok());
    assert_eq!(theirs.unwrap().1.tls.unwrap().peer_certificates.len(), 1);
}

#[tokio::test]
async fn a_missing_client_certificate_is_named_on_both_sides() {
    let ca = Authority::new("ca");
    let leaf = ca.server(&["a"]);
    let server = ServerCredentials::tls().identity_pem(leaf.chain, leaf.key).client_ca_pem(ca.pem()).build().unwrap();
    let (ours, theirs) = handshake(&client_of(&ca).build().unwrap(), &server, "a").await;
    assert_eq!(text(theirs), "TLS: the peer sent no certificate");
    // In TLS 1.3 the client is done before the server complains: it learns on its first read.
    let error = ours.unwrap().0.read_u8().await.unwrap_err();
    assert_eq!(error.to_string(), "TLS: the peer requires a certificate, and we have none to show");
}

#[tokio::test]
async fn optional_client_certificates_are_optional_but_must_be_good() {
    let (ca, stranger) = (Authority::new("ca"), Authority::new("stranger"));
    let leaf = ca.server(&["a"]);
    let server = ServerCredentials::tls()
        .identity_pem(leaf.chain, leaf.key)
        .client_ca_pem(ca.pem())
        .client_auth_optional()
        .build()
        .unwrap();
    let (_, theirs) = handshake(&client_of(&ca).build().unwrap(), &server, "a").await;
    assert!(theirs.is_ok());
    let user = stranger.client("mallory");
    let client = client_of(&ca).identity_pem(user.chain, user.key).build().unwrap();
    let (_, theirs) = handshake(&client, &server, "a").await;
    assert_eq!(text(theirs), "TLS: certificate signed by an unknown authority");
}

#[tokio::test]
async fn a_server_without_alpn_is_not_one_for_grpc() {
    let ca = Authority::new("ca");
    let leaf = ca.server(&["a"]);
    let silent = rustls_server(&leaf, &[]);
    let (a, b) = duplex(64 << 10);
    let client = client_of(&ca).build().unwrap();
    let accept = tokio_rustls::TlsAcceptor::from(silent).accept(b);
    let (ours, _) = tokio::join!(client.secure(Box::new(a), PeerInfo::default(), "a"), accept);
    assert_eq!(text(ours), "TLS: the server did not negotiate h2 by ALPN, which gRPC needs");
}

#[tokio::test]
async fn a_server_for_another_protocol_says_so() {
    let ca = Authority::new("ca");
    let other = rustls_server(&ca.server(&["a"]), &[b"http/1.1"]);
    let (a, b) = duplex(64 << 10);
    let client = client_of(&ca).build().unwrap();
    let accept = tokio_rustls::TlsAcceptor::from(other).accept(b);
    let (ours, _) = tokio::join!(client.secure(Box::new(a), PeerInfo::default(), "a"), accept);
    assert_eq!(text(ours), "TLS: the peer does not speak h2 (ALPN), which gRPC needs");
}

#[tokio::test]
async fn a_client_without_alpn_is_turned_away() {
    let ca = Authority::new("ca");
    let silent = tokio_rustls::TlsConnector::from(rustls_client(&ca, &[]));
    let (a, b) = duplex(64 << 10);
    let server = server(&ca.server(&["a"]));
    let name = ServerName::try_from("a").unwrap();
    let (_, theirs) = tokio::join!(silent.connect(name, a), server.accept(Box::new(b), PeerInfo::default()));
    assert_eq!(text(theirs), "TLS: the client did not negotiate h2 by ALPN, which gRPC needs");
}

#[tokio::test]
async fn a_peer_that_speaks_plaintext_or_hangs_up_is_described() {
    let ca = Authority::new("ca");
    let client = client_of(&ca).build().unwrap();
    let (a, mut b) = duplex(64 << 10);
    b.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    let said = text(client.secure(Box::new(a), PeerInfo::default(), "a").await);
    assert_eq!(said, "TLS: the peer does not speak TLS");

    let (a, b) = duplex(64 << 10);
    drop(b);
    let said = text(client.secure(Box::new(a), PeerInfo::default(), "a").await);
    assert!(["TLS: connection closed during the handshake", "TLS: broken pipe"].contains(&said.as_str()), "{said}");
}

#[tokio::test]
async fn a_connection_that_ends_without_a_goodbye_reads_as_closed_by_the_peer() {
    let ca = Authority::new("ca");
    let (ours, theirs) = handshake(&client_of(&ca).build().unwrap(), &server(&ca.server(&["a"])), "a").await;
    drop(theirs);
    let mut io = ours.unwrap().0;
    let error = loop {
        if let Err(error) = io.read_u8().await {
            break error;
        }
    };
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn a_ready_made_configuration_gets_h2_unless_it_has_it() {
    let ca = Authority::new("ca");
    let leaf = ca.server(&["a"]);
    for protocols in [&[][..], &[&b"h2"[..], b"http/1.1"]] {
        let client = ChannelCredentials::rustls(rustls_client(&ca, protocols)).unwrap();
        let server = ServerCredentials::rustls(rustls_server(&leaf, protocols)).unwrap();
        assert!(handshake(&client, &server, "a").await.0.is_ok());
    }
    let error = ChannelCredentials::rustls(rustls_client(&ca, &[b"http/1.1"])).unwrap_err();
    assert_eq!(error, CredentialsError::AlpnWithoutH2(vec!["http/1.1".to_owned()]));
    assert!(ServerCredentials::rustls(rustls_server(&leaf, &[b"http/1.1"])).is_err());
}

#[test]
fn a_missing_file_is_named() {
    let error = ChannelCredentials::tls().roots_pem(Path::new("no/such/ca.pem")).build().unwrap_err();
    assert_eq!(error.to_string(), "cannot read no/such/ca.pem: no such file or directory");
    let error = ServerCredentials::tls().identity_pem(Path::new("no/such/leaf.pem"), "").build().unwrap_err();
    assert!(matches!(error, CredentialsError::Read { path, .. } if path == Path::new("no/such/leaf.pem")));
}

#[test]
fn files_are_read_and_named_when_they_hold_the_wrong_thing() {
    let dir = std::env::temp_dir().join(format!("thalweg-tls-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let leaf = Authority::new("ca").server(&["a"]);
    let (chain, key) = (dir.join("leaf.pem"), dir.join("leaf.key"));
    std::fs::write(&chain, &leaf.chain).unwrap();
    std::fs::write(&key, &leaf.key).unwrap();
    assert!(ServerCredentials::tls().identity_pem(&*chain, &*key).build().is_ok());
    let swapped = ServerCredentials::tls().identity_pem(&*key, &*chain).build().unwrap_err();
    assert_eq!(swapped, CredentialsError::NoCertificate(PemOrigin::File(key)));
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn pem_without_what_is_needed_or_broken_is_refused() {
    let leaf = Authority::new("ca").server(&["a"]);
    let build = |chain: &str, key: &str| ServerCredentials::tls().identity_pem(chain, key).build().unwrap_err();
    assert_eq!(build("", &leaf.key), CredentialsError::NoCertificate(PemOrigin::Memory));
    assert_eq!(build(&leaf.chain, &leaf.chain), CredentialsError::NoKey(PemOrigin::Memory));
    let cut = &leaf.chain[..leaf.chain.len() / 2];
    assert!(matches!(build(cut, &leaf.key), CredentialsError::MalformedPem { .. }));
    let empty = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(matches!(build(empty, &leaf.key), CredentialsError::BadCertificate { .. }));
    let empty = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    assert!(matches!(build(&leaf.chain, empty), CredentialsError::BadKey { .. }));
    let roots = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let error = ChannelCredentials::tls().roots_pem(roots).build().unwrap_err();
    assert!(matches!(error, CredentialsError::BadCertificate { .. }), "{error}");
}

#[test]
fn a_key_that_is_not_the_certificates_is_refused() {
    let ca = Authority::new("ca");
    let (one, other) = (ca.server(&["a"]), ca.server(&["a"]));
    let mismatch = CredentialsError::KeyMismatch { certificate: PemOrigin::Memory, key: PemOrigin::Memory };
    let error = ServerCredentials::tls().identity_pem(&*one.chain, &*other.key).build().unwrap_err();
    assert_eq!(error, mismatch);
    let error = client_of(&ca).identity_pem(&*one.chain, &*other.key).build().unwrap_err();
    assert_eq!(error, mismatch);
}

#[test]
fn what_is_missing_or_misspelt_in_a_builder_is_named() {
    assert_eq!(ServerCredentials::tls().build().unwrap_err(), CredentialsError::NoIdentity);
    let leaf = Authority::new("ca").server(&["a"]);
    let optional = ServerCredentials::tls().identity_pem(leaf.chain, leaf.key).client_auth_optional();
    assert_eq!(optional.build().unwrap_err(), CredentialsError::NoClientCa);
    let error = ChannelCredentials::tls().server_name("not a name").build().unwrap_err();
    assert_eq!(error, CredentialsError::BadServerName("not a name".to_owned()));
}

#[test]
fn debug_output_holds_no_secret() {
    let leaf = Authority::new("ca").server(&["a"]);
    let shown = format!("{:?}", ServerCredentials::tls().identity_pem(leaf.chain, leaf.key));
    assert!(!shown.contains("BEGIN") && shown.len() < 300, "{shown}");
}

fn roots(ca: &Authority) -> RootCertStore {
    authorities(&[ca.pem().into()]).unwrap()
}

fn owned(protocols: &[&[u8]]) -> Vec<Vec<u8>> {
    protocols.iter().map(|protocol| protocol.to_vec()).collect()
}

fn rustls_client(ca: &Authority, protocols: &[&[u8]]) -> Arc<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots(ca)).with_no_client_auth();
    config.alpn_protocols = owned(protocols);
    Arc::new(config)
}

fn rustls_server(leaf: &Identity, protocols: &[&[u8]]) -> Arc<ServerConfig> {
    let identity = super::Identity { chain: (&*leaf.chain).into(), key: (&*leaf.key).into() };
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_no_client_auth().with_cert_resolver(identity.load(&provider()).unwrap());
    config.alpn_protocols = owned(protocols);
    Arc::new(config)
}
