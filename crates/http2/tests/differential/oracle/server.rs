//! The server.

use std::{cell::RefCell, future::poll_fn, rc::Rc};

use bytes::Bytes;
use h2::{
    Reason, RecvStream, SendStream,
    server::{Builder, SendResponse},
};
use http::{HeaderMap, Request, Response, StatusCode};
use tokio::{io::DuplexStream, task::JoinSet};

use super::talk::Talk;
use crate::{
    heard::{Heard, Told, of_request},
    milestone::Milestones,
    session::{Session, Side, Step},
};

/// Plays the server of a session.
pub(crate) async fn server(io: DuplexStream, session: Rc<Session>, milestones: Rc<Milestones>) -> Heard {
    let mut connection = builder(&session).handshake::<_, Bytes>(io).await.expect("the handshake");
    let told = Rc::new(RefCell::new(vec![Told::default(); session.calls.len()]));
    let mut calls = JoinSet::new();
    let mut accepted = 0;
    let mut late_goodbye = session.goodbye.filter(|code| *code > 0);
    loop {
        let accept = tokio::select! {
            biased;
            accept = connection.accept() => accept,
            () = milestones.heard.wait_for(1), if late_goodbye.is_some() => {
                connection.abrupt_shutdown(late_goodbye.take().map_or(Reason::NO_ERROR, Reason::from));
                continue;
            }
        };
        let Some(Ok((request, respond))) = accept else { break };
        if let Some(size) = session.server.wider(accepted) {
            let _too_early = connection.set_initial_window_size(size);
        }
        accepted += 1;
        calls.spawn_local({
            let (session, told, milestones) = (session.clone(), told.clone(), milestones.clone());
            async move {
                let (number, outcome) = talk(&session, request, respond).await;
                told.borrow_mut()[number] = outcome;
                milestones.answered.count();
            }
        });
        if accepted == session.calls.len() && session.goodbye == Some(0) {
            connection.graceful_shutdown();
        }
    }
    calls.join_all().await;
    Heard { calls: told.take(), pongs: 0, goodbye: None }
}

fn builder(session: &Session) -> Builder {
    let setup = &session.server;
    let mut builder = Builder::new();
    builder
        .initial_window_size(setup.stream_window)
        .initial_connection_window_size(setup.connection_window)
        .max_frame_size(setup.max_frame_size)
        .max_concurrent_streams(setup.max_concurrent)
        .max_send_buffer_size(1 << 20)
        .data_frame_budget(usize::MAX);
    if let Some(size) = setup.tables.first() {
        builder.header_table_size(*size);
    }
    builder
}

/// What the server can say with.
enum Voice {
    Before(SendResponse<Bytes>),
    After(SendStream<Bytes>),
}

async fn talk(session: &Session, request: Request<RecvStream>, respond: SendResponse<Bytes>) -> (usize, Told) {
    let (parts, mut body) = request.into_parts();
    let number = parts.headers.get("x-call").and_then(|number| number.to_str().ok()?.parse().ok());
    let number: usize = number.expect("every call has a number");
    let call = &session.calls[number];
    let mut talk = Talk { number, call, side: Side::Server, said: 0, told: Told::default() };
    talk.told.head = Some(of_request(&parts));
    if call.ends {
        talk.hear(&mut body).await;
    }
    let mut voice = Voice::Before(respond);
    for (at, step) in call.steps.iter().enumerate() {
        if step.side() == Side::Server {
            voice = say(&mut talk, voice, step);
        }
        while !talk.is_due(at) {
            match &mut voice {
                _ if !talk.awaits_reset(at) => talk.hear(&mut body).await,
                Voice::After(stream) => talk.hear_reset(stream).await,
                Voice::Before(respond) => {
                    let outcome = poll_fn(|cx| respond.poll_reset(cx)).await;
                    talk.reset(outcome);
                }
            }
        }
    }
    (number, talk.told)
}

fn say(talk: &mut Talk<'_>, mut voice: Voice, step: &Step) -> Voice {
    let outcome = match (step, &mut voice) {
        (Step::Head { status, headers, end }, Voice::Before(respond)) => {
            return begin(talk, respond, *status, headers, *end).map_or(voice, Voice::After);
        }
        (Step::Data { len, end, .. }, Voice::After(stream)) => {
            talk.send(stream, *len, *end);
            Ok(())
        }
        (Step::Trailers(trailers), Voice::After(stream)) => stream.send_trailers(trailers.clone()),
        (Step::Reset(_, code), Voice::After(stream)) => {
            stream.send_reset(Reason::from(*code));
            Ok(())
        }
        (Step::Reset(_, code), Voice::Before(respond)) => {
            respond.send_reset(Reason::from(*code));
            Ok(())
        }
        (step, _) => panic!("{step:?} at the wrong time"),
    };
    if let Err(error) = outcome {
        talk.fail(&error);
    }
    voice
}

fn begin(
    talk: &mut Talk<'_>,
    respond: &mut SendResponse<Bytes>,
    status: u16,
    headers: &HeaderMap,
    end: bool,
) -> Option<SendStream<Bytes>> {
    let response = |status| {
        let mut response = Response::new(());
        *response.status_mut() = status;
        response
    };
    if talk.call.interim {
        respond.send_informational(response(StatusCode::PROCESSING)).expect("it is interim");
    }
    let mut response = response(StatusCode::from_u16(status).expect("it is a status"));
    *response.headers_mut() = headers.clone();
    match respond.send_response(response, end) {
        Ok(stream) => Some(stream),
        Err(error) => {
            talk.fail(&error);
            None
        }
    }
}
