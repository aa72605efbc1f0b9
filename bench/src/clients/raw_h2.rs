//! gRPC's framing by hand on the `h2` crate: what HTTP/2 costs without a stub and without a channel.

use std::net::SocketAddr;

use bytes::Bytes;
use h2::client::SendRequest;
use http::{HeaderValue, Method, Request, Uri, header, request};
use tokio::net::TcpStream;

use crate::{error::Error, load::Caller, wire};

/// hyper's defaults for a client, so that tonic gets the same windows.
const STREAM_WINDOW: u32 = 2 << 20;
const CONNECTION_WINDOW: u32 = 5 << 20;

/// A connection and all that is the same in every call.
#[derive(Clone)]
pub(super) struct RawH2 {
    connection: SendRequest<Bytes>,
    head: request::Parts,
    frame: Bytes,
}

/// Connects to a server.
pub(super) async fn connect(server: SocketAddr, payload: &Bytes) -> Result<RawH2, Error> {
    let socket = TcpStream::connect(server).await.map_err(Error::io(format!("connect to {server}")))?;
    wire::prepare(&socket)?;
    let (connection, driver) = h2::client::Builder::new()
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .enable_push(false)
        .handshake(socket)
        .await?;
    // The callers see why a connection ends.
    tokio::spawn(async move { drop(driver.await) });
    Ok(RawH2 { connection, head: head(server)?, frame: wire::frame(payload) })
}

/// The headers that the stubs send too.
fn head(server: SocketAddr) -> Result<request::Parts, Error> {
    let uri = Uri::builder().scheme("http").authority(server.to_string()).path_and_query(wire::UNARY).build();
    let uri = uri.map_err(|invalid| Error::io("a URI")(std::io::Error::other(invalid)))?;
    let (mut head, ()) = Request::new(()).into_parts();
    head.method = Method::POST;
    head.version = http::Version::HTTP_2;
    head.uri = uri;
    head.headers.insert(header::TE, HeaderValue::from_static("trailers"));
    head.headers.insert(header::CONTENT_TYPE, wire::CONTENT_TYPE);
    head.headers.insert(header::USER_AGENT, HeaderValue::from_static("thalweg-bench"));
    Ok(head)
}

impl Caller for RawH2 {
    async fn call(&mut self, _: &Bytes) -> Result<(), Error> {
        let mut connection = self.connection.clone().ready().await?;
        let (response, mut request) = connection.send_request(Request::from_parts(self.head.clone(), ()), false)?;
        request.send_data(self.frame.clone(), true)?;
        let mut body = response.await?.into_body();
        let mut received = 0;
        while let Some(chunk) = body.data().await {
            let chunk = chunk?;
            received += chunk.len();
            body.flow_control().release_capacity(chunk.len())?;
        }
        if received != self.frame.len() {
            return Err(Error::WrongReply { got: received, want: self.frame.len() });
        }
        let status = body.trailers().await?.and_then(|mut trailers| trailers.remove(wire::GRPC_STATUS));
        if status.as_ref().is_some_and(|status| status == "0") { Ok(()) } else { Err(Error::Refused(status)) }
    }
}
