//! The service config in a name's TXT records, and which of its choices is ours (A2).

use thalweg_core::json::{self, ConfigError, Node, Object};

/// What a TXT record that carries a service config starts with.
const ATTRIBUTE: &str = "grpc_config=";

/// The fields of a choice. Any other makes the whole list invalid.
const FIELDS: [&str; 4] = ["clientLanguage", "percentage", "clientHostname", "serviceConfig"];

/// How a client presents itself to the conditions of a choice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Client {
    /// The host's name according to the system.
    pub(super) hostname: String,
    /// The client's draw for canaries, from 0 to 99: a choice for `n` percent of clients takes those below `n`. Drawn
    /// once, so that looking up again does not change sides.
    pub(super) draw: u32,
}

impl Client {
    /// This process, with a draw of its own.
    pub(super) fn of_this_process() -> Self {
        Self { hostname: gethostname::gethostname().to_string_lossy().into_owned(), draw: fastrand::u32(..100) }
    }
}

/// A service config picked from a list of choices.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Choice {
    /// Where in the list it stands: `$[1].serviceConfig`.
    pub(super) path: String,
    /// Its JSON.
    pub(super) json: String,
}

/// The first choice that fits `client` in the first of `records` that carries a service config.
pub(super) fn choose(records: &[String], client: &Client) -> Result<Option<Choice>, ConfigError> {
    let Some(list) = records.iter().find_map(|record| record.strip_prefix(ATTRIBUTE)) else { return Ok(None) };
    let list = json::parse(list)?;
    let mut chosen = None;
    // All choices are read, since a malformed one spoils the list wherever it stands.
    for node in Node::root(&list).array()? {
        let (fits, choice) = read_choice(&node, client)?;
        if fits && chosen.is_none() {
            chosen = Some(choice);
        }
    }
    Ok(chosen)
}

fn read_choice(node: &Node<'_>, client: &Client) -> Result<(bool, Choice), ConfigError> {
    let choice = node.object()?;
    if let Some(name) = choice.names().find(|name| !FIELDS.contains(name)) {
        return Err(ConfigError::new(choice.path_of(name), "no such field in a service config choice"));
    }
    let language = lists(&choice, "clientLanguage", |language| language.eq_ignore_ascii_case("rust"))?;
    let hostname = lists(&choice, "clientHostname", |name| name == client.hostname)?;
    let percentage = choice.optional("percentage", percentage)?.is_none_or(|percentage| client.draw < percentage);
    let choice = choice.required("serviceConfig", |config| {
        config.object()?;
        Ok(Choice { path: config.path().into(), json: config.value().to_string() })
    })?;
    Ok((language && hostname && percentage, choice))
}

/// Does the list in this field name the client? An absent or empty list names everybody.
fn lists(choice: &Object<'_>, field: &str, is_client: impl Fn(&str) -> bool) -> Result<bool, ConfigError> {
    let names: Vec<&str> = choice.optional(field, |list| list.list(Node::text))?.unwrap_or_default();
    Ok(names.is_empty() || names.into_iter().any(is_client))
}

fn percentage(node: &Node<'_>) -> Result<u32, ConfigError> {
    let number = node.value().as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| *n <= 100);
    number.ok_or_else(|| node.error("expected a whole number from 0 to 100"))
}
