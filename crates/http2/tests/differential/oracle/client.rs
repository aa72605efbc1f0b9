//! The client.

use std::{cell::RefCell, rc::Rc};

use bytes::Bytes;
use h2::{
    Ping, PingPong, Reason, RecvStream, SendStream,
    client::{Builder, Connection, ResponseFuture},
};
use http::{Request, Uri};
use tokio::{
    io::DuplexStream,
    sync::mpsc,
    task::{JoinSet, spawn_local},
};

use super::talk::Talk;
use crate::{
    heard::{Heard, Told, of_response},
    milestone::Milestones,
    session::{Call, Session, Side, Step},
};

/// Plays the client of a session.
pub(crate) async fn client(io: DuplexStream, session: Rc<Session>, milestones: Rc<Milestones>) -> Heard {
    let (mut send, mut connection) = builder(&session).handshake(io).await.expect("the handshake");
    let pinger = connection.ping_pong().expect("it is asked for once");
    let (windows, changes) = mpsc::unbounded_channel();
    let connection = spawn_local(drive(connection, changes));
    let mut pings = spawn_local(ping(pinger, session.pings));
    let told = Rc::new(RefCell::new(vec![Told::default(); session.calls.len()]));
    let mut calls = JoinSet::new();
    let mut pongs = 0;
    for number in 0..session.calls.len() {
        if number + 1 == session.calls.len() {
            // A server that has seen all calls may leave.
            pongs = (&mut pings).await.expect("no panic");
        }
        send = send.ready().await.expect("the server takes calls");
        let call = &session.calls[number];
        let (response, stream) = send.send_request(request(call), call.ends).expect("it is a request");
        calls.spawn_local({
            let (session, told) = (session.clone(), told.clone());
            async move {
                let outcome = talk(number, &session.calls[number], response, stream).await;
                told.borrow_mut()[number] = outcome;
            }
        });
        if let Some(size) = session.client.wider(number) {
            windows.send(size).expect("the connection lives");
        }
    }
    calls.join_all().await;
    milestones.answered.wait_for(session.calls.len()).await;
    milestones.heard.count();
    let mut goodbye = None;
    if session.goodbye.is_none() {
        drop(send);
        let _closed = connection.await.expect("no panic");
    } else {
        let _closed = connection.await.expect("no panic");
        let error = send.ready().await.err().filter(h2::Error::is_go_away);
        goodbye = error.and_then(|error| error.reason()).map(u32::from);
    }
    Heard { calls: told.take(), pongs, goodbye }
}

fn builder(session: &Session) -> Builder {
    let setup = &session.client;
    let mut builder = Builder::new();
    builder
        .initial_window_size(setup.stream_window)
        .initial_connection_window_size(setup.connection_window)
        .max_frame_size(setup.max_frame_size)
        .max_send_buffer_size(1 << 20)
        .data_frame_budget(usize::MAX)
        .enable_push(false)
        .initial_max_send_streams(0);
    if let Some(size) = setup.tables.first() {
        builder.header_table_size(*size);
    }
    builder
}

/// Moves the connection on, and changes its windows on the way.
async fn drive(
    mut connection: Connection<DuplexStream, Bytes>,
    mut changes: mpsc::UnboundedReceiver<u32>,
) -> Result<(), h2::Error> {
    loop {
        tokio::select! {
            biased;
            outcome = &mut connection => return outcome,
            Some(size) = changes.recv() => {
                // One after the other: a change that comes too early is left out.
                let _too_early = connection.set_initial_window_size(size);
            }
        }
    }
}

async fn ping(mut pinger: PingPong, times: u32) -> u32 {
    let mut pongs = 0;
    for _ in 0..times {
        pongs += u32::from(pinger.ping(Ping::opaque()).await.is_ok());
    }
    pongs
}

fn request(call: &Call) -> Request<()> {
    let uri = format!("http://host:50051{}", call.path).parse::<Uri>().expect("it is a URI");
    let mut request = Request::post(uri).body(()).expect("it is a request");
    *request.headers_mut() = call.metadata.clone();
    request
}

async fn talk(number: usize, call: &Call, response: ResponseFuture, mut stream: SendStream<Bytes>) -> Told {
    let mut talk = Talk { number, call, side: Side::Client, said: 0, told: Told::default() };
    let (mut response, mut body) = (Some(response), None);
    for (at, step) in call.steps.iter().enumerate() {
        match step {
            Step::Data { side: Side::Client, len, end } => talk.send(&mut stream, *len, *end),
            Step::Reset(Side::Client, code) => stream.send_reset(Reason::from(*code)),
            _ => {}
        }
        while !talk.is_due(at) {
            match &mut body {
                Some(body) => talk.hear(body).await,
                None => body = hear_head(&mut talk, response.take()).await,
            }
        }
    }
    talk.told
}

async fn hear_head(talk: &mut Talk<'_>, response: Option<ResponseFuture>) -> Option<RecvStream> {
    match response?.await {
        Ok(response) => {
            talk.told.head = Some(of_response(response.status(), response.headers()));
            Some(response.into_body())
        }
        Err(error) => {
            talk.fail(&error);
            None
        }
    }
}
