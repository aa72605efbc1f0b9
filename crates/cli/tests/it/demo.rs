//! `thalweg demo`, run as a program: what it prints, and how it exits.

use std::{
    io::{BufRead, BufReader, Read},
    net::TcpListener,
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use thalweg::Channel;
use thalweg_proto::demo::{HelloRequest, greeter_client::GreeterClient};

fn demo(flags: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_thalweg")).arg("demo").args(flags).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Runs the demo for three seconds and checks that its JSON adds up and its lines tell the story.
fn play(flags: &[&str]) -> Value {
    let output = demo(&[&["--duration", "3s", "--rate", "200", "--json"], flags].concat());
    let out = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{out}{}", text(&output.stderr));
    for line in ["backend-1 is drained", "backend-1 has drained", "backend-2 is killed", "backend-2 serves again"] {
        assert!(out.contains(line), "no {line:?} in:\n{out}");
    }
    let report: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    adds_up(&report);
    report
}

fn adds_up(report: &Value) {
    let number = |value: &Value| value.as_u64().unwrap();
    let failures = |account: &Value| account["failed"].as_object().unwrap().values().map(number).sum::<u64>();
    let backends = report["backends"].as_array().unwrap();
    for account in backends.iter().chain([report]) {
        assert_eq!(number(&account["calls"]), number(&account["ok"]) + failures(account), "{report}");
    }
    let calls: u64 = backends.iter().map(|backend| number(&backend["calls"])).sum();
    assert_eq!(number(&report["calls"]), 600);
    assert_eq!(calls + number(&report["reached_none"]), 600, "{report}");
    let shares: f64 = backends.iter().map(|backend| backend["share"].as_f64().unwrap()).sum();
    assert!((shares - 1.0).abs() < 0.01, "{report}");
}

#[test]
fn only_calls_that_had_reached_the_killed_backend_fail() {
    let report = play(&["--backends", "3"]);
    assert_eq!(report["policy"], "round_robin");
    let failed = report["failed"].as_object().unwrap();
    assert!(failed.keys().all(|code| code == "UNAVAILABLE"), "{report}");
    let victims = failed.get("UNAVAILABLE").map_or(Some(0), Value::as_u64);
    assert_eq!((report["killed"]["backend-2"].as_u64(), report["unexpected"].as_u64()), (victims, Some(0)));
    for backend in report["backends"].as_array().unwrap() {
        assert!(backend["share"].as_f64().unwrap() > 0.0, "{report}");
        assert!(backend["name"] == "backend-2" || backend["failed"].as_object().unwrap().is_empty(), "{report}");
        let times = &backend["latency_ms"];
        let times: Vec<f64> = ["p50", "p90", "p99", "max"].iter().map(|name| times[name].as_f64().unwrap()).collect();
        assert!(times[0] > 0.0 && times.is_sorted(), "{report}");
    }
}

#[test]
fn the_policy_and_the_rest_of_the_service_config_are_obeyed() {
    let config = r#"{"methodConfig": [{"name": [{}], "waitForReady": true}]}"#;
    let report = play(&["--policy", "pick_first", "--service-config", config, "--backends", "2"]);
    assert_eq!((report["policy"].as_str(), report["unexpected"].as_u64()), (Some("pick_first"), Some(0)));
}

#[test]
fn a_failure_that_the_story_does_not_explain_is_named() {
    let config = r#"{"methodConfig": [{"name": [{}], "timeout": "0.001s"}]}"#;
    let output = demo(&["--duration", "1s", "--rate", "20", "--service-config", config]);
    let out = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{out}");
    assert!(out.contains("UNEXPECTED: ") && out.contains("failed with DEADLINE_EXCEEDED: after "), "{out}");
}

#[test]
fn wrong_options_are_refused_by_name_with_exit_code_2() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (flags, words) in [
        (["--policy", "fastest"], vec!["--policy \"fastest\"", "pick_first", "round_robin"]),
        (["--service-config", "{"], vec!["--service-config: $: not JSON"]),
        (["--rate", "0"], vec!["'0'", "--rate"]),
        (["--backends", "1"], vec!["'1'", "--backends"]),
        (["--duration", "abc"], vec!["'abc'", "--duration", "number and a unit"]),
        (["--listen", "nowhere"], vec!["--listen: ", "\"nowhere\"", "no port"]),
        (["--listen", &taken], vec!["--listen: ", &taken, "in use"]),
    ] {
        let output = demo(&flags);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{flags:?}: {error}");
        assert!(words.iter().all(|word| error.contains(word)), "{flags:?}: {error}");
        assert!(output.stdout.is_empty(), "{flags:?}: {}", text(&output.stdout));
    }
}

#[cfg(unix)]
#[tokio::test]
async fn foreign_clients_are_served_until_ctrl_c_ends_the_run_with_its_summary() {
    let flags = ["demo", "--duration", "1h", "--json", "--listen", "127.0.0.1:0"];
    let command = Command::new(env!("CARGO_BIN_EXE_thalweg")).args(flags).stdout(Stdio::piped()).spawn();
    let mut demo = command.unwrap();
    let mut out = BufReader::new(demo.stdout.take().unwrap());
    let mut line = || {
        let mut line = String::new();
        out.read_line(&mut line).map(|_| line).unwrap()
    };
    line();
    let serving = line();
    let address = serving.trim_end().strip_prefix("serving thalweg.demo.v1.Greeter to foreign clients on ").unwrap();
    let channel = Channel::builder(format!("ipv4:{address}")).build().unwrap();
    let reply = GreeterClient::new(channel).say_hello(HelloRequest { name: "demo".into() }).await.unwrap();
    assert_eq!(reply.get_ref().message, "Hello demo");
    // From its first news on, it listens for Ctrl-C.
    assert!(line().contains("READY"));

    let interrupted = Command::new("kill").args(["-INT", &demo.id().to_string()]).status();
    assert!(interrupted.unwrap().success());
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(demo.wait().unwrap().code(), Some(0), "{rest}");
    let report: Value = serde_json::from_str(rest.lines().last().unwrap()).unwrap();
    assert_eq!((&report["interrupted"], &report["unexpected"]), (&true.into(), &0.into()));
}
