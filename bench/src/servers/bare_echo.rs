//! Returns the bytes it gets, as they come: the counterpart of the bare client.

use tokio::{
    io::{self, AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::{error::Error, protocol};

/// How much is read at once.
const READ: usize = 256 << 10;

/// Serves for ever.
pub(super) async fn serve(listener: TcpListener) -> Result<(), Error> {
    loop {
        let (socket, _) = listener.accept().await.map_err(Error::io("accept"))?;
        protocol::prepare(&socket)?;
        // A client that goes away is the normal end of a connection.
        tokio::spawn(async move { drop(echo(socket).await) });
    }
}

async fn echo(mut socket: TcpStream) -> io::Result<()> {
    let mut bytes = vec![0; READ];
    loop {
        let n = socket.read(&mut bytes).await?;
        if n == 0 {
            return Ok(());
        }
        socket.write_all(&bytes[..n]).await?;
    }
}
