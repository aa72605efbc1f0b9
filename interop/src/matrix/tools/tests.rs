//! Tests of `tools.toml`, and of what is read from the tools' output.

use super::{h2spec, nghttp::Received, *};

const REPORT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="3.5. Preface" package="http2/3.5">
    <testcase package="http2/3.5" classname="Sends a &#34;preface&#34;" time="0.0006"></testcase>
    <testcase package="http2/3.5" classname="Sends another" time="0.0002">
      <error>Connection closed
Error: reset</error>
    </testcase>
  </testsuite>
  <testsuite name="4.1. Frames" package="http2/4.1">
    <testcase package="http2/4.1" classname="Sends a frame"><failure>GOAWAY Frame
Timeout</failure></testcase>
    <testcase package="http2/4.1" classname="Sends nothing"><skipped></skipped></testcase>
  </testsuite>
</testsuites>"#;

fn jobs() -> Jobs {
    parse(include_str!("../../../tools.toml")).unwrap()
}

fn planned(only: &str) -> usize {
    jobs().plan(&only.parse().unwrap()).len()
}

#[test]
fn every_job_runs_under_both_securities() {
    assert_eq!(planned(""), 2 * jobs().names().count());
    assert_eq!(planned("security=tls"), jobs().names().count());
}

#[test]
fn nghttpd_is_a_server_and_the_other_tools_are_clients() {
    let clients = ["h2spec", "h2load", "nghttp"].map(|tool| planned(&format!("client={tool},server=thalweg")));
    assert!(clients.iter().all(|count| *count > 0));
    let servers = planned("client=thalweg,server=nghttpd");
    assert_eq!(clients.iter().sum::<usize>() + servers, planned(""));
}

#[test]
fn a_case_of_the_peers_selects_no_job() {
    assert_eq!(planned("case=ping_pong"), 0);
    assert_eq!(planned("case=hpack"), 2);
}

#[test]
fn a_case_of_h2spec_goes_by_its_section_and_its_number_there() {
    let cases: Vec<_> = h2spec::read(REPORT).unwrap().into_iter().map(|outcome| outcome.case).collect();
    assert_eq!(cases, ["http2/3.5/1", "http2/3.5/2", "http2/4.1/1", "http2/4.1/2"]);
}

#[test]
fn what_h2spec_complains_of_or_skips_is_a_fault() {
    let faults: Vec<_> = h2spec::read(REPORT).unwrap().iter().map(h2spec::Outcome::fault).collect();
    assert_eq!(faults[0], None);
    let named = [
        "\n      http2/3.5/2 Sends another\n        Connection closed\n        Error: reset",
        "\n      http2/4.1/1 Sends a frame\n        GOAWAY Frame\n        Timeout",
        "\n      http2/4.1/2 Sends nothing\n        skipped",
    ];
    assert_eq!(faults[1..], named.map(|fault| Some(fault.to_owned())));
}

#[test]
fn an_empty_report_of_h2spec_is_an_error() {
    assert!(h2spec::read("").is_err());
}

#[test]
fn what_nghttp_sends_does_not_count_as_received() {
    let output = "[  0.001] send DATA frame <length=9, flags=0x01, stream_id=13>
          ; END_STREAM
[  0.001] recv (stream_id=13) :status: 200
[  0.001] recv DATA frame <length=7, flags=0x00, stream_id=13>
[  0.001] recv DATA frame <length=1, flags=0x00, stream_id=13>
[  0.001] recv (stream_id=13) grpc-status: 0";
    assert_eq!(Received::read(output), Received { answers: 1, statuses: 1, bytes: 8 });
}
