//! Some backends serve, others do not; names fail and heal.

use std::time::Duration;

use thalweg::{error::LocalError, request::RequestExt, resolver::ResolveError};
use tonic::Code;

use crate::support::{
    call,
    fleet::{FOUR, Fleet, ONE, ROUND_ROBIN, THREE, TWO},
    hello,
    load::Load,
    named, pass, settle, told,
};

#[tokio::test(start_paused = true)]
async fn half_of_the_backends_refusing_the_others_serve_everything() {
    let fleet = Fleet::new();
    let (_one, _three) = (fleet.start(ONE).await, fleet.start(THREE).await);
    for address in [TWO, FOUR] {
        fleet.network.host(address).refuse();
    }
    let channel = fleet.to_each(&[ONE, TWO, THREE, FOUR]);
    let load = Load::start(&channel, 5);
    pass(Duration::from_secs(30)).await;
    let tally = load.finish().await;
    assert!(tally.failed.is_empty(), "{:?}", tally.failed);
    let (one, three) = (tally.served[ONE], tally.served[THREE]);
    assert!(one.abs_diff(three) <= tally.total() / 50 && tally.served.len() == 2, "{tally:?}");
}

#[tokio::test(start_paused = true)]
async fn all_backends_failing_each_tells_its_own_story() {
    let fleet = Fleet::new();
    fleet.network.host(ONE).refuse();
    fleet.network.host(TWO).black_hole();
    let channel = fleet.to_each(&[ONE, TWO]);
    let status = hello(&channel, "ann").await.unwrap_err();
    let (code, message, mark) = told(&status);
    assert_eq!((code, mark), (Code::Unavailable, Some(LocalError::NoBackend)));
    let stories = [format!("{ONE} connection refused"), format!("{TWO} connecting took longer than 20s")];
    assert!(message.starts_with("no backend of names:fleet can be used: "), "{message}");
    assert!(stories.iter().all(|story| message.contains(story)), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_fails_and_heals_fails_impatient_calls_and_serves_patient_ones() {
    let fleet = Fleet::new();
    let _one = fleet.start(ONE).await;
    fleet.names.fail(ResolveError::NotFound { host: "greeter.example".into() });
    let channel = fleet.builder("names:fleet").default_service_config(ROUND_ROBIN).build().unwrap();
    let mut patient = named("ann");
    patient.set_wait_for_ready(true);
    let patient = call(&channel, patient);
    let status = hello(&channel, "ann").await.unwrap_err();
    let text = "no backend of names:fleet can be used: no such host: greeter.example";
    assert_eq!(told(&status), (Code::Unavailable, text, Some(LocalError::NoBackend)));
    fleet.names.set(fleet.update(&[ONE]));
    assert_eq!(patient.await.unwrap().unwrap().message, "hello ann");
    fleet.names.fail(ResolveError::NotFound { host: "greeter.example".into() });
    settle().await;
    assert_eq!(hello(&channel, "ann").await.unwrap().message, "hello ann");
}
