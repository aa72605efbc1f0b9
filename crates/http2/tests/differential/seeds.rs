//! What peers say in short sessions, as seeds for the fuzz targets of this crate.

use std::{fs, path::Path, rc::Rc};

use thalweg_http2::frame::{HEAD, Head, PREFACE, kind};

use crate::{
    Player, play,
    session::{Kind, Session},
};

/// Seeds for each target.
const COUNT: usize = 12;
/// The largest seed, in bytes.
const MOST: usize = 700;
/// What callers do between the peer's bytes, as the targets read it: hear 256 of them, answer or send on the last two
/// streams, write, read.
const MEANWHILE: [u8; 6] = [0x80, 0x46, 0x18, 0x08, 0x04, 0x0a];

#[test]
#[ignore = "writes the seeds into fuzz/corpus"]
fn what_is_said_in_short_sessions_becomes_seeds_for_the_fuzzer() {
    for (at, seed) in (0..).zip(fitting()) {
        let session = Rc::new(Session::any(seed, Kind::Short));
        let players = if at % 2 == 0 { [Player::Ours; 2] } else { [Player::Ours, Player::Oracle] };
        let of_server = &play(&session, players).bytes[0];
        let players = if at % 2 == 0 { [Player::Ours; 2] } else { [Player::Oracle, Player::Ours] };
        let of_client = &play(&session, players).bytes[1];
        let opens = vec![0x05; session.calls.len()];
        write("client", at, &script(&[opens, MEANWHILE.repeat(4)].concat(), of_server));
        write("server", at, &script(&MEANWHILE.repeat(4), of_client));
        write("frames", at, of_server);
        write("hpack", at, &blocks(of_client.strip_prefix(PREFACE).expect("it is a client")));
    }
}

/// Seeds of sessions that are short enough.
fn fitting() -> impl Iterator<Item = u64> {
    let fits = |seed: &u64| {
        let session = Rc::new(Session::any(*seed, Kind::Short));
        play(&session, [Player::Ours; 2]).bytes.iter().all(|bytes| bytes.len() < MOST)
    };
    (0..).filter(fits).take(COUNT)
}

/// An input of the targets for connections.
fn script(operations: &[u8], bytes: &[u8]) -> Vec<u8> {
    [&[0, operations.len() as u8], operations, bytes].concat()
}

/// An input of the target for header blocks.
fn blocks(mut frames: &[u8]) -> Vec<u8> {
    let mut blocks = vec![];
    while let Some(head) = frames.get(..HEAD).map(Head::parse) {
        let payload = &frames[HEAD..HEAD + head.len];
        if head.kind == kind::HEADERS && head.len < usize::from(u8::MAX) {
            blocks.push(head.len as u8);
            blocks.extend_from_slice(payload);
        }
        frames = &frames[HEAD + head.len..];
    }
    blocks
}

fn write(target: &str, at: usize, input: &[u8]) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    fs::write(corpus.join(format!("session-{at}")), input).expect("the corpus is there");
}
