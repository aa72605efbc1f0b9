//! A load-balancing policy around each known one, which balances as it does and tells what it sees: each backend's
//! connection, and which backend a call reached. It stands on thalweg's public extension points alone.

use std::{cell::Cell, collections::BTreeMap, future::Future, sync::Arc};

use serde_json::Value;
use thalweg::{
    core::{
        connectivity::Connectivity,
        json::ConfigError,
        lb::{
            AnyConfig, CallEnd, CallObserver, Command, Cx, Event, Fixed, LbPolicy, Pick, Picker, Rejected, Resolution,
            SubchannelId,
            child::{ChildSet, Key, Report, Tap},
            registry::{Policies, PolicyFactory},
        },
        status::Status,
    },
    registry::Registry,
};

use super::news::{Teller, What};

/// The number of a backend, attached to its endpoint.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number(pub(super) usize);

tokio::task_local! {
    /// The backend that the task's call was sent to last.
    static REACHED: Cell<Option<usize>>;
}

/// Makes a call, and says which backend it reached, if it reached one.
pub(super) async fn watch<C: Future>(call: C) -> (C::Output, Option<usize>) {
    REACHED
        .scope(Cell::new(None), async {
            let output = call.await;
            (output, REACHED.with(Cell::get))
        })
        .await
}

/// The same registry with an onlooker around each policy, under the policy's own name.
pub(super) fn look_on(registry: Registry, teller: &Teller) -> Registry {
    let policies = registry.policies().clone();
    policies.names().filter_map(|name| policies.get(name)).fold(registry, |registry, policy| {
        registry.with_policy(Factory { policy: Arc::clone(policy), teller: teller.clone() })
    })
}

#[derive(Debug)]
struct Factory {
    policy: Arc<dyn PolicyFactory>,
    teller: Teller,
}

impl PolicyFactory for Factory {
    fn name(&self) -> &str {
        self.policy.name()
    }

    fn parse(&self, config: &Value, policies: &Policies) -> Result<Arc<dyn AnyConfig>, ConfigError> {
        self.policy.parse(config, policies)
    }

    fn build(&self) -> Box<dyn LbPolicy> {
        let mut children = ChildSet::tapped(Eye { teller: self.teller.clone(), numbers: BTreeMap::new() });
        let child = children.insert(self.policy.build());
        Box::new(Onlooker { children, child })
    }
}

/// Sees subchannels come and go.
#[derive(Debug)]
struct Eye {
    teller: Teller,
    /// Whose subchannel it is.
    numbers: BTreeMap<SubchannelId, usize>,
}

impl Eye {
    fn tell(&self, id: SubchannelId, state: Connectivity) {
        if let Some(number) = self.numbers.get(&id) {
            self.teller.tell(*number, What::Connection(state));
        }
    }
}

impl Tap for Eye {
    fn see(&mut self, cx: &mut Cx<'_>, _: Key, command: &Command) {
        match command {
            Command::Create { id, endpoint, .. } => {
                if let Some(Number(number)) = endpoint.attributes().get() {
                    self.numbers.insert(*id, *number);
                    cx.observe(*id, Arc::new(Reached(*number)));
                }
            }
            Command::Shutdown(id) => {
                self.tell(*id, Connectivity::Idle);
                self.numbers.remove(id);
            }
            _ => {}
        }
    }
}

/// Notes which backend the present task's call is sent to.
#[derive(Debug)]
struct Reached(usize);

impl CallObserver for Reached {
    fn start(&self) {
        // Outside of `watch` nobody wants to know.
        let _ = REACHED.try_with(|reached| reached.set(Some(self.0)));
    }

    fn end(&self, _: &CallEnd<'_>) {}
}

/// Balances as its only child does.
#[derive(Debug)]
struct Onlooker {
    children: ChildSet<Eye>,
    child: Key,
}

impl Onlooker {
    fn call(&mut self, cx: &mut Cx<'_>, call: impl FnOnce(&mut dyn LbPolicy, &mut Cx<'_>)) {
        let report = self.children.call(cx, self.child, call);
        pass_on(cx, report);
    }
}

fn pass_on(cx: &mut Cx<'_>, report: Option<Report>) {
    if let Some(report) = report {
        cx.report(report.to);
    }
}

impl LbPolicy for Onlooker {
    fn on_resolution(&mut self, cx: &mut Cx<'_>, update: &Resolution) -> Result<(), Rejected> {
        let mut result = Ok(());
        self.call(cx, |child, cx| result = child.on_resolution(cx, update));
        result
    }

    fn on_resolver_error(&mut self, cx: &mut Cx<'_>, error: &Status) {
        self.call(cx, |child, cx| child.on_resolver_error(cx, error));
    }

    fn on_event(&mut self, cx: &mut Cx<'_>, event: &Event) {
        if let Event::Subchannel(id, state) = event {
            self.children.tap().tell(*id, state.connectivity());
        }
        let report = self.children.route(cx, event);
        pass_on(cx, report);
    }

    fn picker(&mut self, cx: &mut Cx<'_>) -> Arc<dyn Picker> {
        // It is asked only after the child reported, so the child's is stale.
        self.children.take_stale();
        self.children.picker(cx, self.child).unwrap_or_else(|| Arc::new(Fixed::new(Pick::Queue)))
    }

    fn exit_idle(&mut self, cx: &mut Cx<'_>) {
        self.call(cx, |child, cx| child.exit_idle(cx));
    }

    fn shutdown(&mut self, cx: &mut Cx<'_>) {
        self.children.clear(cx);
    }
}
