//! Service configs in TXT records, and which of their choices is taken (A2).

use thalweg_core::json::ConfigError;

use super::*;
use crate::resolver::dns::txt::{Client, choose};

fn client(draw: u32) -> Client {
    Client { hostname: "worker-7".into(), draw }
}

fn chosen(list: &str, draw: u32) -> Result<Option<String>, ConfigError> {
    let records = ["v=spf1 -all".to_owned(), format!("grpc_config={list}")];
    choose(&records, &client(draw)).map(|choice| choice.map(|choice| format!("{} {}", choice.path, choice.json)))
}

#[test]
fn the_first_choice_whose_conditions_all_fit_is_taken() {
    let first = Ok(Some(r#"$[0].serviceConfig {}"#.to_owned()));
    let second = Ok(Some(r#"$[1].serviceConfig {"loadBalancingPolicy":"round_robin"}"#.to_owned()));
    for (conditions, expected) in [
        ("", &first),
        (r#""clientLanguage":[],"clientHostname":[],"#, &first),
        (r#""clientLanguage":["go","Rust"],"#, &first),
        (r#""clientLanguage":["go"],"#, &second),
        (r#""clientHostname":["worker-7"],"#, &first),
        (r#""clientHostname":["WORKER-7"],"#, &second),
        (r#""percentage":100,"#, &first),
        (r#""percentage":41,"#, &first),
        (r#""percentage":40,"#, &second),
        (r#""percentage":0,"#, &second),
        (r#""clientLanguage":["rust"],"percentage":0,"#, &second),
    ] {
        let list = format!(
            r#"[{{{conditions}"serviceConfig":{{}}}},{{"serviceConfig":{{"loadBalancingPolicy":"round_robin"}}}}]"#
        );
        assert_eq!(&chosen(&list, 40), expected, "{conditions}");
    }
}

#[test]
fn records_without_a_config_and_lists_without_a_fitting_choice_give_none() {
    assert_eq!(choose(&[], &client(0)), Ok(None));
    assert_eq!(choose(&["v=spf1 -all".into()], &client(0)), Ok(None));
    assert_eq!(chosen("[]", 0), Ok(None));
    assert_eq!(chosen(r#"[{"clientLanguage":["go"],"serviceConfig":{}}]"#, 0), Ok(None));
}

#[test]
fn a_malformed_choice_spoils_the_list_and_is_named_by_its_path() {
    for (list, expected) in [
        ("[", "$: not JSON: EOF while parsing a list at line 1 column 1"),
        ("{}", "$: expected an array, found an object"),
        ("[7]", "$[0]: expected an object, found 7"),
        (r#"[{"serviceConfig":{},"percent":1}]"#, "$[0].percent: no such field in a service config choice"),
        (r#"[{"serviceConfig":{}},{}]"#, "$[1].serviceConfig: this field is required"),
        (r#"[{"serviceConfig":[]}]"#, "$[0].serviceConfig: expected an object, found an array"),
        (r#"[{"serviceConfig":{},"percentage":101}]"#, "$[0].percentage: expected a whole number from 0 to 100"),
        (r#"[{"serviceConfig":{},"percentage":0.5}]"#, "$[0].percentage: expected a whole number from 0 to 100"),
        (r#"[{"serviceConfig":{},"clientLanguage":"go"}]"#, r#"$[0].clientLanguage: expected an array, found "go""#),
    ] {
        assert_eq!(chosen(list, 0).unwrap_err().to_string(), expected, "{list}");
    }
}

fn with_txt() -> DnsOptions {
    DnsOptions { service_config_txt: true, ..DnsOptions::default() }
}

fn record(config: &str) -> Result<Vec<String>, ResolveError> {
    Ok(vec![format!(r#"grpc_config=[{{"serviceConfig":{config}}}]"#)])
}

#[tokio::test(start_paused = true)]
async fn a_config_comes_with_the_addresses_and_stays_when_its_look_up_fails() {
    let answers = [found(&[1], None), found(&[2], None), found(&[3], None), found(&[4], None)];
    let records = [
        record(r#"{"methodConfig":[{"name":[{}],"waitForReady":true}]}"#),
        Err(failed("_grpc_config.greeter", "no name server answered in time")),
        record(r#"{"methodConfig":7}"#),
        Ok(Vec::new()),
    ];
    let script = Script::new(answers).with_records(records);
    let (mut watch, cx) = watch(&script, with_txt());
    let mut configs = Vec::new();
    for _ in 0..4 {
        configs.push(watch.next().await.unwrap().service_config);
        cx.ask();
    }
    let good = configs[0].as_ref().unwrap().as_ref().unwrap();
    assert_eq!(good.method("/a/b").unwrap().wait_for_ready, Some(true));
    let kept = configs[1].as_ref().unwrap().as_ref().unwrap();
    assert!(Arc::ptr_eq(good, kept), "a failing look-up changes nothing");
    let error = configs[2].as_ref().unwrap().as_ref().unwrap_err();
    assert!(error.path.starts_with("$[0].serviceConfig.methodConfig"), "{error}");
    assert!(configs[3].is_none(), "the record is gone");
}
