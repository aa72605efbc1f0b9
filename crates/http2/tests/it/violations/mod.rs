//! Every violation of RFC 9113 that a peer can commit: bytes in, the answer with its code and its text out.

mod client;
mod floods;
mod server;

use bytes::BytesMut;
use thalweg_http2::{
    config::{Config, Role},
    error::{Code, Violation},
    exchange::{Cut, News},
    receive::Receiver,
};

use crate::record::Record;

/// What a violation ends.
#[derive(Clone, PartialEq, Debug)]
enum Answer {
    /// The connection, with this code and text.
    Connection(Code, String),
    /// A stream that somebody waits for, with this code and text.
    Stream(u32, Code, String),
    /// A stream that nobody waits for, with this code.
    Unheard(u32, Code),
    /// It is no violation, or one that is passed over.
    Nothing,
}

/// A row of a table: the bytes, and what they come to.
struct Case {
    name: &'static str,
    sent: Vec<u8>,
    answer: Answer,
}

fn connection(name: &'static str, sent: &[Vec<u8>], code: Code, text: &str) -> Case {
    Case { name, sent: sent.concat(), answer: Answer::Connection(code, text.to_owned()) }
}

fn stream(name: &'static str, sent: &[Vec<u8>], id: u32, code: Code, text: &str) -> Case {
    Case { name, sent: sent.concat(), answer: Answer::Stream(id, code, text.to_owned()) }
}

fn unheard(name: &'static str, sent: &[Vec<u8>], id: u32, code: Code) -> Case {
    Case { name, sent: sent.concat(), answer: Answer::Unheard(id, code) }
}

fn nothing(name: &'static str, sent: &[Vec<u8>]) -> Case {
    Case { name, sent: sent.concat(), answer: Answer::Nothing }
}

/// A receiver and what it told.
struct Played {
    receiver: Receiver<u32>,
    record: Record,
    inbox: BytesMut,
    outcome: Result<(), Violation>,
}

impl Played {
    /// One to whom nothing has been sent. A client has opened these streams.
    fn new(role: Role, config: &Config, opened: &[u32]) -> Self {
        let (mut receiver, mut record) = (Receiver::new(role, config), Record::default());
        let mut news = News { opened: opened.iter().map(|id| (*id, *id)).collect(), ..News::default() };
        receiver.learn(&mut news, &mut record);
        Self { receiver, record, inbox: BytesMut::new(), outcome: Ok(()) }
    }

    /// Sends it more bytes at a time in milliseconds.
    fn send_at(&mut self, now: u64, bytes: &[u8]) {
        if self.outcome.is_ok() {
            self.inbox.extend_from_slice(bytes);
            self.outcome = self.receiver.receive(&mut self.inbox, now, &mut self.record);
        }
    }

    fn send(&mut self, bytes: &[u8]) {
        self.send_at(0, bytes);
    }

    /// Tells it what callers have done.
    fn learn(&mut self, mut news: News<u32>) {
        self.receiver.learn(&mut news, &mut self.record);
    }

    /// The first thing that was ended.
    fn answer(&mut self) -> Answer {
        if let Err(Violation { code, text, .. }) = &self.outcome {
            return Answer::Connection(*code, text.to_string());
        }
        let cut = self.record.cuts().into_iter().find_map(|(id, cut)| match cut {
            Cut::Violation(Violation { code, text, .. }) => Some(Answer::Stream(id, code, text.into_owned())),
            Cut::Reset(_) | Cut::GoAway(_) => None,
        });
        let reset = self.receiver.effects().resets.first().map(|(id, code)| Answer::Unheard(*id, *code));
        cut.or(reset).unwrap_or(Answer::Nothing)
    }
}

/// Plays a table: each case in one piece, then byte by byte. The texts may differ where the first byte decides.
fn play(role: Role, config: &Config, opened: &[u32], cases: Vec<Case>) {
    for Case { name, sent, answer } in cases {
        let mut whole = Played::new(role, config, opened);
        whole.send(&sent);
        assert_eq!(whole.answer(), answer, "{name}");
        let mut slow = Played::new(role, config, opened);
        sent.iter().for_each(|byte| slow.send(&[*byte]));
        assert_eq!(rough(slow.answer()), rough(answer), "{name}, byte by byte");
    }
}

/// An answer without its text.
fn rough(answer: Answer) -> Answer {
    match answer {
        Answer::Connection(code, _) => Answer::Connection(code, String::new()),
        Answer::Stream(id, code, _) => Answer::Stream(id, code, String::new()),
        other => other,
    }
}
