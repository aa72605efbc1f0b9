//! Authentication: TLS and mTLS say who is at either end of a connection, call credentials say whom a call is made for.

use std::{error::Error, time::Duration};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use thalweg::{
    BoxFuture, Channel, Server,
    channel::ChannelBuilder,
    context::ServerRequestExt,
    credentials::{CachedToken, ChannelCredentials, ServerCredentials, Token, TokenSource},
};
use thalweg_examples::{Greeter, Handlers, hello, line, reply};
use thalweg_proto::demo::{HelloReply, HelloRequest, greeter_client::GreeterClient, greeter_server::GreeterServer};
use tonic::{Request, Response, Status, async_trait};

/// Tells callers what it knows of them.
struct Doorman;

#[async_trait]
impl Handlers for Doorman {
    async fn say_hello(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        let tls = request.peer().and_then(|peer| peer.tls.as_ref());
        let connection = match tls {
            None => "plaintext".to_owned(),
            Some(tls) if tls.peer_certificates.is_empty() => tls.protocol.clone(),
            Some(tls) => format!("{} with a client certificate", tls.protocol),
        };
        let token = request.metadata().get("authorization").and_then(|value| value.to_str().ok());
        Ok(Response::new(reply(format!("{connection}, {}", token.unwrap_or("no token")))))
    }
}

/// Hands out tokens, as an identity provider would.
#[derive(Debug)]
struct Issuer;

impl TokenSource for Issuer {
    fn fetch(&self) -> BoxFuture<'_, Result<Token, Status>> {
        Box::pin(async { Token::bearer("let-me-in", Some(Duration::from_secs(3600))) })
    }
}

/// A certificate and its key, in PEM.
struct Identity {
    certificate: String,
    key: String,
}

/// An authority of our own, whose certificates this example lives on.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str) -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(Self(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?))
    }

    fn certificate(&self) -> String {
        self.0.pem()
    }

    fn issue(&self, name: &str, purpose: ExtendedKeyUsagePurpose) -> Result<Identity, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec![name.to_owned()])?;
        params.extended_key_usages = vec![purpose];
        let certificate = params.signed_by(&key, &self.0)?.pem();
        Ok(Identity { certificate, key: key.serialize_pem() })
    }
}

async fn start(credentials: ServerCredentials) -> Result<String, Box<dyn Error>> {
    let service = GreeterServer::new(Greeter(Doorman));
    let server = Server::builder().credentials(credentials).add_service(service).listen("127.0.0.1:0").bind().await?;
    let target = format!("ipv4:{}", server.local_addrs()[0]);
    tokio::spawn(server.run());
    Ok(target)
}

/// Makes one call and tells what comes of it.
async fn call(what: &str, channel: ChannelBuilder) {
    println!("{what}:");
    match channel.build() {
        Err(error) => println!("  {error}"),
        Ok(channel) => match GreeterClient::new(channel).say_hello(hello("you")).await {
            Ok(response) => println!("  {}", response.into_inner().message),
            Err(status) => println!("  {}", line(&status)),
        },
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let authority = Authority::new("our authority")?;
    let greeter = authority.issue("greeter.test", ExtendedKeyUsagePurpose::ServerAuth)?;
    let ada = authority.issue("ada", ExtendedKeyUsagePurpose::ClientAuth)?;
    let tls = || ServerCredentials::tls().identity_pem(greeter.certificate.as_str(), greeter.key.as_str());
    let open = start(tls().build()?).await?;
    let strict = start(tls().client_ca_pem(authority.certificate()).build()?).await?;
    let plain = start(ServerCredentials::insecure()).await?;

    let trusting = || ChannelCredentials::tls().roots_pem(authority.certificate()).server_name("greeter.test");
    let channel = |target: &str| Channel::builder(target);
    let token = CachedToken::new(Issuer);

    call("TLS", channel(&open).credentials(trusting().build()?)).await;
    let misled = trusting().server_name("teller.test").build()?;
    call("TLS, expecting another name", channel(&open).credentials(misled)).await;
    let stranger = Authority::new("somebody else's")?;
    let wary = ChannelCredentials::tls().roots_pem(stranger.certificate()).server_name("greeter.test").build()?;
    call("TLS, trusting somebody else", channel(&open).credentials(wary)).await;

    let introduced = trusting().identity_pem(ada.certificate.as_str(), ada.key.as_str()).build()?;
    call("mTLS", channel(&strict).credentials(introduced)).await;
    call("mTLS without a certificate", channel(&strict).credentials(trusting().build()?)).await;

    let secure = channel(&open).credentials(trusting().build()?);
    call("a token over TLS", secure.call_credentials(token.clone())).await;
    call("a token over plaintext", channel(&plain).call_credentials(token)).await;
    Ok(())
}
