//! Certificates that do not fit, told by the call that needed them.

use thalweg::{
    credentials::{ChannelCredentials, ServerCredentials},
    error::LocalError,
    request::RequestExt,
};
use thalweg_testkit::certs::Authority;
use tonic::Code;

use crate::support::{
    fleet::{Fleet, ONE},
    hello, named, send, told,
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
    let story = format!("no backend of ipv4:{ONE} can be used: {ONE} TLS: ");
    assert!(message.starts_with(&story), "{message}");
    let reason = r#"certificate not valid for name "greeter.example"; it is for ["other.example""#;
    assert!(message.contains(reason), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_call_with_an_authority_of_its_own_goes_only_where_the_certificate_covers_it() {
    let authority = Authority::new("Test Authority");
    let identity = authority.server(&["greeter.example", "other.example"]);
    let fleet = Fleet::new();
    let server = ServerCredentials::tls().identity_pem(identity.chain, identity.key).build().unwrap();
    let _one = fleet.start_with(ONE, |builder| builder.credentials(server)).await;
    let client = ChannelCredentials::tls().roots_pem(authority.pem()).build().unwrap();
    let builder = fleet.builder(&format!("ipv4:{ONE}")).credentials(client);
    let channel = builder.authority("greeter.example").build().unwrap();
    let call_as = |name: &str| {
        let mut request = named("ann");
        request.set_authority(name).unwrap();
        send(&channel, request)
    };
    assert_eq!(call_as("other.example:443").await.unwrap().message, "hello ann");
    let status = call_as("bank.example").await.unwrap_err();
    let text = format!("the certificate of {ONE} does not cover the call's authority bank.example");
    assert_eq!(told(&status), (Code::Unavailable, &*text, Some(LocalError::AuthorityNotCovered)));
}
