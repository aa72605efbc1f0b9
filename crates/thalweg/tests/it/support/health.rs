//! A health service that says what the test has it say, and counts who listens.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use thalweg_proto::health::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
    health_check_response::ServingStatus, health_server::Health,
};
use tokio::sync::{mpsc, watch};
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tonic::{Request, Response, Status};

/// What the server says of its health, whichever service is asked for.
#[derive(Clone, Debug)]
pub(crate) enum Say {
    /// Nothing, for now.
    Nothing,
    Status(ServingStatus),
    /// Ends the stream.
    End(Status),
}

/// The health of one backend.
#[derive(Clone)]
pub(crate) struct Nurse {
    say: watch::Sender<Say>,
    asked: Arc<Mutex<Vec<String>>>,
    open: Arc<AtomicUsize>,
}

impl Nurse {
    /// A backend that serves.
    pub(crate) fn new() -> Self {
        Self {
            say: watch::Sender::new(Say::Status(ServingStatus::Serving)),
            asked: Arc::default(),
            open: Arc::default(),
        }
    }

    /// From now on, to those who listen too.
    pub(crate) fn say(&self, say: Say) {
        self.say.send_replace(say);
    }

    pub(crate) fn serve(&self) {
        self.say(Say::Status(ServingStatus::Serving));
    }

    pub(crate) fn stop_serving(&self) {
        self.say(Say::Status(ServingStatus::NotServing));
    }

    /// The services that streams were opened for, since the last look.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    /// How many streams are open.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Relaxed)
    }
}

/// An open stream.
struct Listener(Arc<AtomicUsize>);

impl Listener {
    fn new(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Relaxed);
        Self(open.clone())
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// Says what there is to be said, until the stream is to end.
async fn speak(mut say: watch::Receiver<Say>, answers: mpsc::Sender<Result<HealthCheckResponse, Status>>) {
    loop {
        let answer = match say.borrow_and_update().clone() {
            Say::Nothing => None,
            Say::Status(status) => Some(Ok(HealthCheckResponse { status: status.into() })),
            Say::End(status) => Some(Err(status)),
        };
        let ends = matches!(answer, Some(Err(_)));
        if let Some(answer) = answer {
            // Whoever has left needs no answer.
            let _ = answers.send(answer).await;
        }
        if ends || say.changed().await.is_err() {
            return;
        }
    }
}

#[tonic::async_trait]
impl Health for Nurse {
    async fn check(&self, _: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        Err(Status::internal("nobody asks like this"))
    }

    async fn list(&self, _: Request<HealthListRequest>) -> Result<Response<HealthListResponse>, Status> {
        Err(Status::internal("nobody asks like this"))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        self.asked.lock().unwrap().push(request.into_inner().service);
        let (answers, stream) = mpsc::channel(1);
        let (say, listener, left) = (self.say.subscribe(), Listener::new(&self.open), answers.clone());
        tokio::spawn(async move {
            let _listener = listener;
            tokio::select! {
                () = left.closed() => {}
                () = speak(say, answers) => {}
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }
}
