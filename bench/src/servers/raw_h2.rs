//! The echo service by hand on the `h2` crate: the counterpart that favours no client.
//!
//! Every message of a stream goes out in a DATA frame of its own, so that what a client pays for a message does not
//! depend on how a server packs them.

use std::future::poll_fn;

use bytes::{Buf, Bytes};
use h2::{RecvStream, SendStream, server::SendResponse};
use http::{HeaderMap, HeaderValue, Request, Response, header};
use prost::Message;
use thalweg_proto::bench::DownloadRequest;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use crate::{error::Error, protocol};

/// hyper's default for a server, so that every server has the same windows.
const WINDOW: u32 = 1 << 20;
/// The room that a stream of many messages asks for at once.
const ROOM: usize = 16 << 10;

/// Serves for ever, by TLS if there is an acceptor for it.
pub(super) async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>) -> Result<(), Error> {
    loop {
        let (socket, _) = listener.accept().await.map_err(Error::io("accept"))?;
        protocol::prepare(&socket)?;
        let tls = tls.clone();
        tokio::spawn(async move {
            match tls {
                None => serve_connection(socket).await,
                Some(tls) => serve_connection(tls.accept(socket).await.map_err(Error::io("accept TLS"))?).await,
            }
        });
    }
}

/// A client that goes away is the normal end of a connection.
async fn serve_connection(io: impl AsyncRead + AsyncWrite + Unpin) -> Result<(), Error> {
    let mut connection = h2::server::Builder::new()
        .initial_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_concurrent_streams(protocol::MAX_CONCURRENT_STREAMS)
        .handshake::<_, Bytes>(io)
        .await?;
    while let Some(call) = connection.accept().await {
        let (request, respond) = call?;
        tokio::spawn(async move { drop(answer(request, respond).await) });
    }
    Ok(())
}

async fn answer(request: Request<RecvStream>, mut respond: SendResponse<Bytes>) -> Result<(), Error> {
    let (head, body) = request.into_parts();
    let mut response = Response::new(());
    response.headers_mut().insert(header::CONTENT_TYPE, protocol::CONTENT_TYPE);
    let reply = match head.uri.path() {
        protocol::STREAM => echo_as_it_comes(body, respond.send_response(response, false)?).await?,
        protocol::DOWNLOAD => {
            let wanted = received(body).await?;
            send_messages(&wanted, respond.send_response(response, false)?).await?
        }
        _ => {
            let chunks = received(body).await?;
            let mut reply = respond.send_response(response, false)?;
            for chunk in chunks {
                reply.send_data(chunk, false)?;
            }
            reply
        }
    };
    end(reply)
}

/// The whole of a request.
async fn received(mut body: RecvStream) -> Result<Vec<Bytes>, Error> {
    let mut chunks = Vec::with_capacity(1);
    while let Some(chunk) = next(&mut body).await? {
        chunks.push(chunk);
    }
    Ok(chunks)
}

async fn echo_as_it_comes(mut body: RecvStream, mut reply: SendStream<Bytes>) -> Result<SendStream<Bytes>, Error> {
    while let Some(chunk) = next(&mut body).await? {
        reply.send_data(chunk, false)?;
    }
    Ok(reply)
}

/// The next bytes of a request.
async fn next(body: &mut RecvStream) -> Result<Option<Bytes>, Error> {
    while let Some(chunk) = body.data().await {
        let chunk = chunk?;
        body.flow_control().release_capacity(chunk.len())?;
        // tonic ends a request with an empty frame of its own; a client's h2 bears only few such in replies.
        if !chunk.is_empty() {
            return Ok(Some(chunk));
        }
    }
    Ok(None)
}

/// Sends as many messages as the request asks for, no faster than the client takes them.
async fn send_messages(request: &[Bytes], mut reply: SendStream<Bytes>) -> Result<SendStream<Bytes>, Error> {
    let mut message = Bytes::from(request.concat());
    message.advance(protocol::PREFIX.min(message.len()));
    let wanted = DownloadRequest::decode(message).map_err(|malformed| Error::io("a request")(malformed.into()))?;
    let frame = protocol::frame(&vec![b'x'; wanted.message_bytes as usize]);
    for _ in 0..wanted.messages {
        while reply.capacity() == 0 {
            reply.reserve_capacity(ROOM);
            poll_fn(|cx| reply.poll_capacity(cx)).await.ok_or(Error::StreamEnded)??;
        }
        reply.send_data(frame.clone(), false)?;
    }
    Ok(reply)
}

fn end(mut reply: SendStream<Bytes>) -> Result<(), Error> {
    let trailers = HeaderMap::from_iter([(protocol::GRPC_STATUS, HeaderValue::from_static("0"))]);
    Ok(reply.send_trailers(trailers)?)
}
