//! Certificates that do not fit, told by the call that needed them.

use thalweg::{
    credentials::{ChannelCredentials, ServerCredentials},
    error::LocalError,
};
use thalweg_testkit::certs::Authority;
use tonic::Code;

use crate::support::{
    fleet::{Fleet, ONE},
    hello, told,
};

#[tokio::test(start_paused = true)]
async fn a_certificate_with_a_wrong_name_is_named_in_the_calls_error() {
    let authority = Authority::new("Test Authority");
    let identity = authority.server(&["other.example"]);
    let fleet = Fleet::new();
    let server = ServerCredentials::tls().identity_pem(identity.chain, identity.key).build().unwrap();
    let _one = fleet.start_with(ONE, |builder| builder.credentials(server)).await;
    let client = ChannelCredentials::tls().roots_pem(authority.pem()).build().unwrap();
    let build = |name: &str| {
        let builder = fleet.builder(&format!("ipv4:{ONE}")).credentials(client.clone());
        builder.authority(name).build().unwrap()
    };
    assert_eq!(hello(&build("other.example"), "ann").await.unwrap().message, "hello ann");
    let status = hello(&build("greeter.example"), "ann").await.unwrap_err();
    let (code, message, mark) = told(&status);
    assert_eq!((code, mark), (Code::Unavailable, Some(LocalError::NoBackend)));
    let story = format!("no backend of ipv4:{ONE} is reachable: {ONE} TLS: ");
    assert!(message.starts_with(&story), "{message}");
    let reason = r#"certificate not valid for name "greeter.example"; it is for ["other.example""#;
    assert!(message.contains(reason), "{message}");
}
