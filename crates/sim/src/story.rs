//! What has happened so far, kept cheaply and told when somebody asks.

use std::{collections::BTreeMap, fmt, time::Duration};

use thalweg_core::{
    connectivity::Connectivity,
    endpoint::Address,
    lb::{Command, Event, SubchannelId, SubchannelState},
};

use crate::input::Input;

#[derive(Debug)]
enum Line {
    Told(Input),
    Commanded(Command),
    State(Connectivity),
}

/// Everything that a policy was told, commanded and reported.
#[derive(Debug, Default)]
pub(crate) struct Story {
    lines: Vec<(Duration, Line)>,
}

impl Story {
    pub(crate) fn told(&mut self, at: Duration, input: &Input) {
        self.lines.push((at, Line::Told(input.clone())));
    }

    pub(crate) fn commanded(&mut self, at: Duration, command: &Command) {
        self.lines.push((at, Line::Commanded(command.clone())));
    }

    pub(crate) fn state(&mut self, at: Duration, state: Connectivity) {
        self.lines.push((at, Line::State(state)));
    }

    /// Attempts and changes of state only: what tests compare.
    pub(crate) fn outline(&self) -> Vec<String> {
        let (mut names, mut last, mut out) = (Names::default(), None, vec![]);
        for (at, line) in &self.lines {
            names.learn(line);
            match line {
                Line::Commanded(Command::Connect(id)) => {
                    out.push(format!("{} connect {}", at.as_millis(), names.of(*id)))
                }
                Line::State(state) if last != Some(*state) => {
                    last = Some(*state);
                    out.push(format!("{} {state}", at.as_millis()));
                }
                _ => {}
            }
        }
        out
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names = Names::default();
        for (at, line) in &self.lines {
            names.learn(line);
            write!(f, "{:>8} ms  ", at.as_millis())?;
            match line {
                Line::Told(input) => names.tell(f, input)?,
                Line::Commanded(command) => names.command(f, command)?,
                Line::State(state) => writeln!(f, "    reports {state}")?,
            }
        }
        Ok(())
    }
}

/// The addresses of subchannels, learned on the way.
#[derive(Default)]
struct Names<'a>(BTreeMap<SubchannelId, &'a Address>);

impl<'a> Names<'a> {
    fn learn(&mut self, line: &'a Line) {
        if let Line::Commanded(Command::Create { id, address, .. }) = line {
            self.0.insert(*id, address);
        }
    }

    fn of(&self, id: SubchannelId) -> String {
        self.0.get(&id).map_or_else(|| format!("{id:?}"), ToString::to_string)
    }

    fn tell(&self, f: &mut fmt::Formatter<'_>, input: &Input) -> fmt::Result {
        match input {
            Input::Event(Event::Subchannel(id, SubchannelState::TransientFailure { reason, .. })) => {
                writeln!(f, "{} fails: {reason}", self.of(*id))
            }
            Input::Event(Event::Subchannel(id, state)) => writeln!(f, "{} is {}", self.of(*id), state.connectivity()),
            Input::Event(Event::Health(watch, health)) => writeln!(f, "{} has health {health:?}", self.of(watch.of())),
            Input::Event(Event::Load(watch, _)) => writeln!(f, "{} reports its load", self.of(watch.of())),
            Input::Event(event) => writeln!(f, "{event:?}"),
            Input::Resolution(update) => {
                let endpoints: Vec<_> = update.endpoints.iter().map(|e| e.addresses()).collect();
                writeln!(f, "resolved to {endpoints:?}, config {:?}", update.config)
            }
            Input::ResolverError(status) => writeln!(f, "the resolver failed: {status}"),
            Input::ExitIdle => writeln!(f, "exit idle"),
        }
    }

    fn command(&self, f: &mut fmt::Formatter<'_>, command: &Command) -> fmt::Result {
        match command {
            Command::Create { address, .. } => writeln!(f, "    create {address}"),
            Command::Connect(id) => writeln!(f, "    connect {}", self.of(*id)),
            Command::Divert(id) => writeln!(f, "    divert the calls that wait for {}", self.of(*id)),
            Command::Shutdown(id) => writeln!(f, "    shut down {}", self.of(*id)),
            Command::Observe { watch, .. } => writeln!(f, "    observe the calls of {}", self.of(watch.of())),
            Command::WatchHealth(watch) => writeln!(f, "    watch the health of {}", self.of(watch.of())),
            Command::WatchLoad { watch, every } => {
                writeln!(f, "    watch the load of {}, {every:?}", self.of(watch.of()))
            }
            Command::Unwatch(watch) => writeln!(f, "    unwatch {}", self.of(watch.of())),
            Command::Arm { timer, .. } => writeln!(f, "    arm {timer:?}"),
            Command::Cancel(_) | Command::Offer(_) | Command::Withdraw(_) | Command::Resolve => {
                writeln!(f, "    {command:?}")
            }
        }
    }
}
