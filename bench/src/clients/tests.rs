//! Tests of the command line of clients, and that every client does its work at a server of its kind.

use std::{sync::mpsc, thread};

use clap::Parser;
use tokio::runtime::{Builder, Runtime};

use super::{ClientArgs, ClientKind, Target, Work, run};
use crate::{
    error::Error,
    sample::{Metric, Sample},
    servers::{self, Announcement, ServerArgs, ServerKind},
};

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    client: ClientArgs,
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// A server that lasts as long as the tests do.
fn serve(kind: ServerKind) -> Target {
    let (announce, announced) = mpsc::channel();
    thread::spawn(move || {
        servers::run(ServerArgs::new(kind, 1), &runtime(), |announcement| {
            announce.send(announcement.clone()).unwrap();
        })
    });
    let Announcement { address, certificate } = announced.recv().unwrap();
    Target { server: Some(address), server_pid: None, trust: certificate }
}

fn brief(kind: ClientKind, work: Work, target: &Target) -> Result<Sample, Error> {
    let args =
        ClientArgs { warm_up: 0.01, concurrency: 3, target: target.clone(), ..ClientArgs::new(kind, work, 0.05) };
    run(&args, &runtime())
}

#[track_caller]
fn assert_measures(metric: Metric, kind: ClientKind, work: Work, target: &Target) {
    let sample = brief(kind, work, target).unwrap_or_else(|error| panic!("{kind:?} {work:?}: {error}"));
    assert!(sample.get(metric).is_some(), "{kind:?} {work:?}: {sample}");
}

#[test]
fn a_command_line_parses_into_what_it_was_made_of() {
    let pem = "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n";
    let target = Target { server: "127.0.0.1:7".parse().ok(), server_pid: Some(3), trust: Some(pem.to_owned()) };
    let args = ClientArgs {
        threads: 2,
        connections: 4,
        calls: 9,
        target,
        ..ClientArgs::new(ClientKind::RawH2, Work::Growth, 0.5)
    };
    assert_eq!(Line::parse_from(args.to_command_line()).client, args);
    assert!(!args.to_string().contains("CERTIFICATE"), "{args}");
}

#[test]
fn every_client_calls_the_server_without_a_stub() {
    for kind in [ServerKind::RawH2, ServerKind::RawH2Tls] {
        let server = serve(kind);
        for kind in [ClientKind::Tonic, ClientKind::Thalweg, ClientKind::ThalwegByHand, ClientKind::RawH2] {
            assert_measures(Metric::ClientCpuUs, kind, Work::Unary, &server);
        }
    }
}

#[test]
fn every_server_with_a_service_answers_the_client_without_a_stub() {
    for kind in [ServerKind::Tonic, ServerKind::Thalweg] {
        assert_measures(Metric::P50Us, ClientKind::RawH2, Work::Unary, &serve(kind));
    }
}

#[test]
fn clients_that_can_tell_count_their_writes() {
    assert_measures(Metric::CallsPerWrite, ClientKind::ThalwegByHand, Work::Unary, &serve(ServerKind::RawH2));
    assert_measures(Metric::CallsPerWrite, ClientKind::BareEcho, Work::Unary, &serve(ServerKind::BareEcho));
}

#[test]
fn stubs_do_all_kinds_of_work() {
    let server = serve(ServerKind::RawH2);
    for kind in [ClientKind::Tonic, ClientKind::Thalweg] {
        assert_measures(Metric::ClientCpuUs, kind, Work::Download, &server);
        assert_measures(Metric::MessagesPerCpuSecond, kind, Work::PingPong, &server);
        assert_measures(Metric::MessagesPerCpuSecond, kind, Work::ServerStream, &server);
    }
}

#[test]
fn the_stub_floor_needs_no_server() {
    let nobody = Target::default();
    assert_measures(Metric::ClientCpuUs, ClientKind::Floor, Work::Unary, &nobody);
    assert_measures(Metric::MessagesPerSecond, ClientKind::Floor, Work::PingPong, &nobody);
    assert_measures(Metric::MessagesPerSecond, ClientKind::Floor, Work::ServerStream, &nobody);
}

#[test]
fn a_client_without_a_stub_refuses_work_that_takes_one() {
    let error = brief(ClientKind::RawH2, Work::PingPong, &serve(ServerKind::RawH2)).unwrap_err();
    assert!(error.to_string().starts_with("client raw-h2, --work ping-pong: "), "{error}");
}

#[test]
fn a_client_that_connects_must_be_told_where() {
    let error = brief(ClientKind::Thalweg, Work::Unary, &Target::default()).unwrap_err();
    assert!(matches!(error, Error::NoServer), "{error}");
}
