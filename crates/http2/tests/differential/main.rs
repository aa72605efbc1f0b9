//! The same sessions played by the `h2` crate and by us, client and server: both sides hear the same.

mod heard;
mod milestone;
mod oracle;
mod ours;
mod seeds;
mod session;

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::{io::duplex, runtime, task::LocalSet, time::timeout};

use self::{
    heard::Heard,
    milestone::Milestones,
    session::{Kind, Session, Side},
};

/// How long each test makes sessions up.
const PATIENCE: Duration = Duration::from_millis(500);
/// A pipe that holds whatever an end has to say while the other does not read.
const ROOMY: usize = 1 << 24;
/// After this long, in virtual time, nothing moves any more.
const STUCK: Duration = Duration::from_secs(1000);

/// Who plays a side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Player {
    Oracle,
    Ours,
}

/// What the client and the server heard, and by which bytes, where it was one of ours.
struct Outcome {
    heard: [Heard; 2],
    bytes: [Vec<u8>; 2],
}

/// Plays a session in memory.
fn play(session: &Rc<Session>, players: [Player; 2]) -> Outcome {
    let [client, server] = players;
    // While h2 cannot write it does not read: two of it stand still if little fits between them.
    let pipe = if players.contains(&Player::Ours) { session.pipe } else { ROOMY };
    let runtime = runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let (here, there) = duplex(pipe);
    let milestones = Rc::new(Milestones::default());
    let (of_client, of_server) = (session.clone(), session.clone());
    let (by_client, by_server) = (milestones.clone(), milestones);
    let client = async move {
        match client {
            Player::Oracle => (oracle::client(here, of_client, by_client).await, vec![]),
            Player::Ours => ours::play(here, Side::Client, of_client, by_client).await,
        }
    };
    let server = async move {
        match server {
            Player::Oracle => (oracle::server(there, of_server, by_server).await, vec![]),
            Player::Ours => ours::play(there, Side::Server, of_server, by_server).await,
        }
    };
    let both = async { timeout(STUCK, async { tokio::join!(client, server) }).await };
    let played = LocalSet::new().block_on(&runtime.expect("a runtime"), both);
    let (client, server) = played.unwrap_or_else(|_| panic!("{players:?} are stuck: {session:#?}"));
    Outcome { heard: [client.0, server.0], bytes: [client.1, server.1] }
}

/// Plays a session by all pairs, and compares what each side hears with what `h2` hears of `h2`.
fn check(seed: u64, kind: Kind) {
    println!("seed {seed}, {kind:?}");
    let session = Rc::new(Session::any(seed, kind));
    let oracle = play(&session, [Player::Oracle, Player::Oracle]);
    for players in [[Player::Ours, Player::Oracle], [Player::Oracle, Player::Ours], [Player::Ours, Player::Ours]] {
        let played = play(&session, players);
        for (side, (heard, expected)) in
            [Side::Client, Side::Server].into_iter().zip(played.heard.iter().zip(&oracle.heard))
        {
            compare(&session, &format!("{side:?} of {players:?}"), heard, expected);
        }
    }
}

fn compare(session: &Session, who: &str, heard: &Heard, expected: &Heard) {
    for (number, (heard, expected)) in heard.calls.iter().zip(&expected.calls).enumerate() {
        if heard != expected || heard.failure.is_some() || heard.wrong.is_some() {
            println!("{:#?}", session.calls[number]);
            panic!("{who}, call {number}: {heard:#?} instead of {expected:#?}");
        }
    }
    assert_eq!((heard.pongs, heard.goodbye), (expected.pongs, expected.goodbye), "{who}");
}

/// Plays sessions of a kind for a while.
fn check_many(kind: Kind) {
    (0..10).for_each(|seed| check(seed, kind));
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        check(fastrand::u64(..), kind);
    }
}

#[test]
fn any_session_is_heard_as_the_oracle_hears_it() {
    check_many(Kind::Any);
}

#[test]
fn header_blocks_mean_the_same_to_us_and_to_the_oracle_both_ways() {
    check_many(Kind::Wordy);
}

#[test]
fn short_sessions_are_heard_as_the_oracle_hears_them() {
    check_many(Kind::Short);
}
