//! The interoperability server: `TestService` and its health mounted on thalweg's server, with the official flags.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
    time::Duration,
};

use thalweg::{
    Server,
    credentials::{CredentialsError, ServerCredentials},
    server::ServerError,
};
use thalweg_proto::interop::test_service_server::TestServiceServer;
use thalweg_services::health::{HealthReporter, ServingStatus};
use tonic::codec::CompressionEncoding::Gzip;

use self::answer_all::AnswerAll;
use crate::{
    framing::ServerFraming,
    health::{ILL, WELL},
};

pub use options::ServerOptions;
pub use service::Answering;

mod options;
mod service;

mod answer_all;
mod answers;
mod echo;

/// How long calls may go on once the server is told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// What keeps the server from serving.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The certificate or its key cannot be used.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The port cannot be listened on.
    #[error(transparent)]
    Server(#[from] ServerError),
}

/// Serves until `stop`, on every address of this machine.
///
/// # Errors
///
/// If the certificate or the port cannot be used.
pub async fn serve(options: &ServerOptions, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
    let service = TestServiceServer::new(Answering).accept_compressed(Gzip).send_compressed(Gzip);
    let mut server = Server::builder()
        .credentials(credentials(options)?)
        .add_service(ServerFraming(service))
        .extension(health())
        .listen(SocketAddr::from((every_address(), options.port)));
    if options.answer_all {
        server = server.fallback(AnswerAll);
    }
    server.bind().await?.run_until(stop, GRACE).await;
    Ok(())
}

fn health() -> HealthReporter {
    let health = HealthReporter::new();
    health.set(WELL.0, ServingStatus::Serving);
    health.set(ILL.0, ServingStatus::NotServing);
    health
}

/// The address that stands for all of this machine's, of both families if it has both.
fn every_address() -> IpAddr {
    match TcpListener::bind((Ipv6Addr::UNSPECIFIED, 0)) {
        Ok(_) => Ipv6Addr::UNSPECIFIED.into(),
        Err(_) => Ipv4Addr::UNSPECIFIED.into(),
    }
}

fn credentials(options: &ServerOptions) -> Result<ServerCredentials, CredentialsError> {
    if !options.use_tls {
        return Ok(ServerCredentials::insecure());
    }
    ServerCredentials::tls().identity_pem(options.tls_cert_file.as_path(), options.tls_key_file.as_path()).build()
}
