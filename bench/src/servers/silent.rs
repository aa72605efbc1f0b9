//! Accepts every call and answers none, for as long as the connection lasts.

use bytes::Bytes;
use tokio::net::{TcpListener, TcpStream};

use crate::{error::Error, protocol};

/// More calls than any benchmark leaves open.
const MAX_OPEN: u32 = 1 << 20;
/// Room for what all of them send, which nobody reads.
const WINDOW: u32 = 1 << 30;

/// Serves for ever.
pub(super) async fn serve(listener: TcpListener) -> Result<(), Error> {
    loop {
        let (socket, _) = listener.accept().await.map_err(Error::io("accept"))?;
        protocol::prepare(&socket)?;
        // A client that goes away is the normal end of a connection.
        tokio::spawn(async move { drop(hold(socket).await) });
    }
}

async fn hold(socket: TcpStream) -> Result<(), h2::Error> {
    let mut connection = h2::server::Builder::new()
        .initial_connection_window_size(WINDOW)
        .max_concurrent_streams(MAX_OPEN)
        .handshake::<_, Bytes>(socket)
        .await?;
    // A call whose two halves were dropped would be reset.
    let mut open = Vec::new();
    while let Some(call) = connection.accept().await {
        open.push(call?);
    }
    Ok(())
}
