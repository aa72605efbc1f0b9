//! How a server takes its leave: hooks, the drain time, and calls that hear of it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use thalweg::server::ServerBuilder;
use tokio::{task::JoinHandle, time::Instant};
use tonic::Code;

use super::fixture::{Answer, Client, Event, SAY_HELLO, World, hello, post, settle};

const S: Duration = Duration::from_secs(1);

/// A server that serves on for five seconds once it is told to stop.
async fn patient() -> World {
    World::new(|server| server.drain_time(S * 5)).await
}

fn stop(world: &World, within: Duration) -> JoinHandle<()> {
    let handle = world.handle.clone();
    tokio::spawn(async move { handle.graceful_stop(within).await })
}

async fn greets(client: &mut Client) {
    assert_eq!(client.call(SAY_HELLO, hello("ann")).await.code(), Code::Ok);
}

/// How long after `begun` the client hears GOAWAY and its connection ends.
async fn gone(client: Client, begun: Instant) -> u64 {
    let Client { send: _sender, connection } = client;
    connection.await.unwrap().unwrap();
    begun.elapsed().as_secs()
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_serves_old_and_new_clients_for_its_drain_time() {
    let world = patient().await;
    let (mut old, begun) = (world.connect().await, Instant::now());
    let stop = stop(&world, S * 30);
    settle().await;
    let mut new = world.connect().await;
    greets(&mut old).await;
    greets(&mut new).await;
    assert_eq!(gone(old, begun).await, 5);
    assert_eq!(gone(new, begun).await, 5);
    assert!(world.listener.is_closed());
    stop.await.unwrap();
    world.run.await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_stop_goes_on_when_nobody_waits_for_it() {
    let world = patient().await;
    let begun = Instant::now();
    let stop = stop(&world, S * 30);
    settle().await;
    stop.abort();
    world.run.await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn the_drain_time_is_part_of_the_time_that_the_stop_has() {
    for (within, cut) in [(S * 3, 3), (S * 8, 8)] {
        let mut world = patient().await;
        let mut client = world.connect().await;
        let response = client.ask(post(SAY_HELLO), hello("hang")).await;
        assert!(matches!(world.event().await, Event::Started));
        let begun = Instant::now();
        world.handle.graceful_stop(within).await;
        assert_eq!(begun.elapsed().as_secs(), cut);
        assert!(Answer::of(response).await.is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn a_more_urgent_stop_shortens_the_drain_time() {
    for urgent in [Some(S), None] {
        let world = patient().await;
        let (client, begun) = (world.connect().await, Instant::now());
        let first = stop(&world, S * 30);
        settle().await;
        match urgent {
            Some(within) => world.handle.graceful_stop(within).await,
            None => world.handle.stop(),
        }
        first.await.unwrap();
        assert!(begun.elapsed() < S * 2, "{:?}", begun.elapsed());
        drop(client);
    }
}

#[tokio::test(start_paused = true)]
async fn a_later_stop_does_not_lengthen_the_drain_time() {
    let world = patient().await;
    let (client, begun) = (world.connect().await, Instant::now());
    let _first = stop(&world, S * 30);
    assert!(tokio::time::timeout(S * 3, world.handle.stopped()).await.is_err());
    let _second = stop(&world, S * 30);
    assert_eq!(gone(client, begun).await, 5);
}

/// Counts how often it ran, and says how often others had by then.
fn hook(ran: &Arc<AtomicUsize>, expected: usize) -> impl FnOnce() + Send + 'static {
    let ran = Arc::clone(ran);
    move || assert_eq!(ran.fetch_add(1, Ordering::Relaxed), expected)
}

#[tokio::test(start_paused = true)]
async fn stop_hooks_run_once_and_in_order_and_may_panic() {
    let ran = Arc::new(AtomicUsize::new(0));
    let configure = |server: ServerBuilder| {
        let server = server.on_stop(hook(&ran, 0)).on_stop(|| panic!("a hook that fails")).on_stop(hook(&ran, 1));
        server.drain_time(S)
    };
    let world = World::new(configure).await;
    let mut client = world.connect().await;
    let stop = stop(&world, S * 30);
    settle().await;
    assert_eq!(ran.load(Ordering::Relaxed), 2);
    greets(&mut client).await;
    world.handle.stop();
    stop.await.unwrap();
    assert_eq!(ran.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn stop_hooks_run_however_a_server_ends() {
    for end in
        [|world: World| world.handle.stop(), |world: World| world.run.abort(), |world: World| drop(world.listener)]
    {
        let ran = Arc::new(AtomicUsize::new(0));
        let world = World::new(|server| server.on_stop(hook(&ran, 0))).await;
        let handle = world.handle.clone();
        settle().await;
        end(world);
        handle.stopped().await;
        settle().await;
        assert_eq!(ran.load(Ordering::Relaxed), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_hook_may_stop_the_server_too() {
    let (tell, told) = std::sync::mpsc::channel::<thalweg::server::ServerHandle>();
    let hook = move || told.recv().unwrap().stop();
    let world = World::new(|server| server.drain_time(S * 5).on_stop(hook)).await;
    tell.send(world.handle.clone()).unwrap();
    let begun = Instant::now();
    world.handle.graceful_stop(S * 30).await;
    assert!(begun.elapsed() < S, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_would_stay_hears_that_its_connection_goes_away() {
    let mut world = patient().await;
    let (mut client, begun) = (world.connect().await, Instant::now());
    let response = client.ask(post(SAY_HELLO), hello("stay")).await;
    assert!(matches!(world.event().await, Event::Started));
    stop(&world, S * 30).await.unwrap();
    assert_eq!(Answer::of(response).await.unwrap().messages(), ["hello stay"]);
    assert_eq!(begun.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_would_stay_hears_that_its_connection_is_too_old() {
    let world = World::new(|server| server.max_connection_age(S * 100)).await;
    let (mut client, begun) = (world.connect().await, Instant::now());
    assert_eq!(client.call(SAY_HELLO, hello("stay")).await.code(), Code::Ok);
    assert!((90..=110).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}
