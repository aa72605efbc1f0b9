//! `Check` and `List`: what is known of services, now.

use thalweg_proto::demo::greeter_server::GreeterServer;
use thalweg_services::health::{HealthReporter, ServingStatus};
use tonic::Code;

use super::{NOT_SERVING, SERVING, Watch, about, check, client, code, list};

const GREETER: &str = "thalweg.demo.v1.Greeter";

#[tokio::test]
async fn the_server_as_a_whole_serves_from_the_beginning() {
    let health = HealthReporter::new();
    assert_eq!(check(&health, "").await.unwrap(), SERVING);
    assert_eq!(list(&health).await.unwrap(), [(String::new(), SERVING)]);
}

#[tokio::test]
async fn nothing_is_known_of_a_service_before_somebody_says_it_nor_after_it_is_cleared() {
    let health = HealthReporter::new();
    assert_eq!(code(check(&health, GREETER).await), Code::NotFound);
    health.set(GREETER, ServingStatus::Serving);
    assert_eq!(check(&health, GREETER).await.unwrap(), SERVING);
    health.clear(GREETER);
    assert_eq!(code(check(&health, GREETER).await), Code::NotFound);
    assert_eq!(health.status(GREETER), None);
}

#[tokio::test]
async fn a_service_is_known_by_its_type_too() {
    let health = HealthReporter::new();
    health.set_serving::<GreeterServer<()>>();
    assert_eq!(check(&health, GREETER).await.unwrap(), SERVING);
    health.set_not_serving::<GreeterServer<()>>();
    assert_eq!(check(&health, GREETER).await.unwrap(), NOT_SERVING);
    assert_eq!(health.status(GREETER), Some(ServingStatus::NotServing));
}

#[tokio::test]
async fn every_status_is_said_in_the_words_of_the_wire() {
    let health = HealthReporter::new();
    for status in [ServingStatus::Unknown, ServingStatus::Serving, ServingStatus::NotServing] {
        health.set("a", status);
        assert_eq!(check(&health, "a").await.unwrap().as_str_name(), status.to_string());
    }
}

#[tokio::test]
async fn a_hundred_services_are_listed_and_one_more_is_too_many() {
    let health = HealthReporter::new();
    // One that is only waited for is not reported.
    let _watch = Watch::of(&health, "unknown").await;
    for n in 1..100 {
        health.set(format!("service {n:02}"), ServingStatus::Serving);
    }
    let all = list(&health).await.unwrap();
    assert_eq!((all.len(), all[1].0.as_str()), (100, "service 01"));
    health.set("the last straw", ServingStatus::Serving);
    assert_eq!(code(list(&health).await), Code::ResourceExhausted);
    health.clear("the last straw");
    assert!(list(&health).await.is_ok());
}

#[tokio::test]
async fn a_name_that_none_can_have_is_refused_and_not_kept() {
    let health = HealthReporter::new();
    let name = "x".repeat(5000);
    assert_eq!(code(check(&health, &name).await), Code::OutOfRange);
    assert_eq!(code(client(&health).watch(about(&name)).await), Code::OutOfRange);
    assert_eq!(list(&health).await.unwrap().len(), 1);
}

#[tokio::test]
async fn clones_speak_of_the_same_services() {
    let health = HealthReporter::new();
    health.clone().set("a", ServingStatus::NotServing);
    assert_eq!(check(&health, "a").await.unwrap(), NOT_SERVING);
    assert!(format!("{health:?}").contains(r#""a": NotServing"#), "{health:?}");
}
