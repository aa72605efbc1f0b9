//! Accepting connections: as many as may be, through every error, until the server stops.

use std::{future::poll_fn, io, sync::Arc, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Bound;
use crate::{
    rt,
    server::{
        connection::{ConnectionRules, serve},
        shutdown::{Alive, Watch},
    },
};

/// The pauses after accept errors that will not pass by themselves at once (no file descriptors, no memory).
const PAUSE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));

/// Accepts connections and gives each a task, until the server stops or there will be no more. While `room` is used up,
/// further connections wait where the system keeps those not accepted.
pub(in crate::server) async fn accept_all(
    mut bound: Bound,
    rules: Arc<ConnectionRules>,
    room: Option<Arc<Semaphore>>,
    watch: Watch,
    alive: Alive,
) {
    let mut stop = watch.clone();
    let accept = async {
        let mut pause = PAUSE.0;
        loop {
            let permit = permit(room.clone()).await;
            match poll_fn(|cx| bound.poll_accept(cx)).await {
                Some(Ok(connected)) => {
                    pause = PAUSE.0;
                    let credentials = bound.credentials.clone();
                    let service = serve(connected, credentials, Arc::clone(&rules), watch.clone(), alive.clone());
                    let task = async move {
                        service.await;
                        drop(permit);
                    };
                    rt::spawn(task).detach();
                }
                Some(Err(error)) if passes(&error) => {}
                Some(Err(error)) => {
                    tracing::warn!(listener = ?bound.local, %error, again_in = ?pause, "a connection was not accepted");
                    rt::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE.1);
                }
                None => return,
            }
        }
    };
    tokio::select! {
        biased;
        () = stop.stopping() => {}
        () = accept => {}
    }
}

/// Room for one more connection, once there is.
async fn permit(room: Option<Arc<Semaphore>>) -> Option<OwnedSemaphorePermit> {
    // The semaphore is never closed.
    room?.acquire_owned().await.ok()
}

/// Was it that one connection's trouble, and not the listener's?
fn passes(error: &io::Error) -> bool {
    use io::ErrorKind::{
        ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted, InvalidInput, NotConnected,
    };

    let kinds = [ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted, InvalidInput, NotConnected];
    kinds.contains(&error.kind())
}
