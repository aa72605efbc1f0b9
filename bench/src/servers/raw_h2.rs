//! Returns the bytes it gets, by hand on the `h2` crate: the counterpart that favours no client.

use bytes::Bytes;
use h2::{RecvStream, server::SendResponse};
use http::{HeaderMap, HeaderValue, Request, Response, header};
use tokio::net::{TcpListener, TcpStream};

use crate::{error::Error, wire};

/// hyper's default for a server, so that every server has the same windows.
const WINDOW: u32 = 1 << 20;

/// Serves for ever.
pub(super) async fn serve(listener: TcpListener) -> Result<(), Error> {
    loop {
        let (socket, _) = listener.accept().await.map_err(Error::io("accept"))?;
        wire::prepare(&socket)?;
        // A client that goes away is the normal end of a connection.
        tokio::spawn(async move { drop(serve_connection(socket).await) });
    }
}

async fn serve_connection(socket: TcpStream) -> Result<(), h2::Error> {
    let mut connection = h2::server::Builder::new()
        .initial_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_concurrent_streams(wire::MAX_CONCURRENT_STREAMS)
        .handshake::<_, Bytes>(socket)
        .await?;
    while let Some(call) = connection.accept().await {
        let (request, respond) = call?;
        tokio::spawn(async move { drop(answer(request, respond).await) });
    }
    Ok(())
}

async fn answer(request: Request<RecvStream>, mut respond: SendResponse<Bytes>) -> Result<(), h2::Error> {
    let mut body = request.into_body();
    let mut chunks = Vec::with_capacity(1);
    while let Some(chunk) = body.data().await {
        let chunk = chunk?;
        body.flow_control().release_capacity(chunk.len())?;
        // tonic ends a request with an empty frame of its own; a client's h2 bears only few such in replies.
        if !chunk.is_empty() {
            chunks.push(chunk);
        }
    }
    let mut head = Response::new(());
    head.headers_mut().insert(header::CONTENT_TYPE, wire::CONTENT_TYPE);
    let mut reply = respond.send_response(head, false)?;
    for chunk in chunks {
        reply.send_data(chunk, false)?;
    }
    let trailers = HeaderMap::from_iter([(wire::GRPC_STATUS, HeaderValue::from_static("0"))]);
    reply.send_trailers(trailers)
}
