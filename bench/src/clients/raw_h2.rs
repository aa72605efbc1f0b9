//! gRPC's framing by hand on the `h2` crate: what HTTP/2 costs without a stub and without a channel.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use h2::client::SendRequest;
use http::{Request, Uri, request};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

use crate::{error::Error, load::Caller, protocol, tls};

/// hyper's defaults for a client, so that tonic gets the same windows.
const STREAM_WINDOW: u32 = 2 << 20;
const CONNECTION_WINDOW: u32 = 5 << 20;

/// A connection and all that is the same in every call.
#[derive(Clone)]
pub(super) struct RawH2 {
    connection: SendRequest<Bytes>,
    head: Arc<request::Parts>,
    frame: Bytes,
}

/// Connects to a server, by TLS if there is a certificate to trust.
pub(super) async fn connect(server: SocketAddr, trust: Option<&str>, payload: &Bytes) -> Result<RawH2, Error> {
    let socket = TcpStream::connect(server).await.map_err(Error::io(format!("connect to {server}")))?;
    protocol::prepare(&socket)?;
    let (scheme, connection) = match trust {
        None => ("http", handshake(socket).await?),
        Some(certificate) => ("https", handshake(tls::connect(certificate, server, socket).await?).await?),
    };
    let uri = Uri::builder().scheme(scheme).authority(server.to_string()).path_and_query(protocol::UNARY).build();
    let uri = uri.map_err(|invalid| Error::io("a URI")(std::io::Error::other(invalid)))?;
    Ok(RawH2 { connection, head: Arc::new(protocol::head(uri)), frame: protocol::frame(payload) })
}

async fn handshake(io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<SendRequest<Bytes>, Error> {
    let (connection, driver) = h2::client::Builder::new()
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .enable_push(false)
        .handshake(io)
        .await?;
    // The callers see why a connection ends.
    tokio::spawn(async move { drop(driver.await) });
    Ok(connection)
}

impl Caller for RawH2 {
    async fn call(&mut self, _: &Bytes) -> Result<(), Error> {
        let mut connection = self.connection.clone().ready().await?;
        let (response, mut request) =
            connection.send_request(Request::from_parts(request::Parts::clone(&self.head), ()), false)?;
        request.send_data(self.frame.clone(), true)?;
        let mut body = response.await?.into_body();
        let mut received = 0;
        while let Some(chunk) = body.data().await {
            let chunk = chunk?;
            received += chunk.len();
            body.flow_control().release_capacity(chunk.len())?;
        }
        Error::unless_echo(received, self.frame.len())?;
        Error::unless_ok(body.trailers().await?.and_then(|mut trailers| trailers.remove(protocol::GRPC_STATUS)))
    }
}
