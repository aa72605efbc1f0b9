//! The channel's resolver: its task, and what becomes of its results (A21).

use std::{mem, sync::Arc};

use thalweg_core::{
    deadline,
    endpoint::Endpoint,
    json::ConfigError,
    lb::{
        LbPolicy, Resolution as LbResolution,
        registry::{Policies, PolicyChoice},
    },
    service_config::ServiceConfig,
    status::Status,
    target::Target,
};
use tokio::sync::mpsc;

use super::{driver::Driver, timers::Due};
use crate::{
    control::ControlEvent,
    panics::Contained,
    resolver::{ResolveError, Resolver, ResolverContext, ResolverFactory, ResolverUpdate},
    rt::{self, Task},
};

/// The policy of a channel whose configuration names none.
const DEFAULT_POLICY: &str = "pick_first";

/// One target's resolution, running or not.
#[derive(Debug)]
pub(super) struct Resolution {
    target: Target,
    factory: Arc<dyn ResolverFactory>,
    policies: Arc<Policies>,
    cx: ResolverContext,
    task: Option<Task>,
}

impl Resolution {
    pub(super) fn new(target: Target, factory: Arc<dyn ResolverFactory>, policies: Arc<Policies>) -> Self {
        let cx = ResolverContext::new(policies.clone());
        Self { target, factory, policies, cx, task: None }
    }

    /// Starts from the beginning.
    pub(super) fn start(&mut self, mailbox: &mpsc::WeakUnboundedSender<ControlEvent>) {
        self.cx = ResolverContext::new(self.policies.clone());
        let reporter = Reporter(mailbox.clone());
        self.task = match self.factory.build(&self.target, self.cx.clone()) {
            Ok(resolver) => Some(rt::spawn(run(resolver, reporter))),
            Err(error) => {
                reporter.report(Err(ResolveError::Other(error.to_string().into())));
                None
            }
        };
    }

    pub(super) fn stop(&mut self) {
        self.task = None;
    }

    /// Asks for a new result; the resolver decides when.
    pub(super) fn ask(&self) {
        self.cx.ask();
    }

    fn default_policy(&self) -> Option<PolicyChoice> {
        let factory = self.policies.get(DEFAULT_POLICY)?.clone();
        let config = factory.parse(&serde_json::json!({}), &self.policies).ok()?;
        Some(PolicyChoice { factory, config })
    }
}

async fn run(mut resolver: Box<dyn Resolver>, reporter: Reporter) {
    while reporter.report(resolver.next().await) {}
}

/// Reports to the driver, at last that the resolver has panicked.
struct Reporter(mpsc::WeakUnboundedSender<ControlEvent>);

impl Reporter {
    /// False when nobody listens any more.
    fn report(&self, result: Result<ResolverUpdate, ResolveError>) -> bool {
        self.0.upgrade().is_some_and(|mailbox| mailbox.send(ControlEvent::Resolved(Contained::new(result))).is_ok())
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.report(Err(ResolveError::Other("the resolver panicked".into())));
        }
    }
}

impl Driver {
    /// The resolver has a result, good or bad.
    pub(super) fn on_resolved(&mut self, result: &mut Result<ResolverUpdate, ResolveError>) {
        let update = match result {
            Ok(update) => update,
            Err(error) => return self.on_unresolved(&error.to_string()),
        };
        let config = match self.choose_config(update.service_config.as_ref()) {
            Ok(config) => Contained::new(config),
            Err(error) => {
                return self.on_unresolved(&format!("the resolver's service config is broken: {error}"));
            }
        };
        let selector = update.config_selector.clone().unwrap_or_else(|| Arc::<ServiceConfig>::clone(&config));
        self.select(selector);
        self.balance(&config, mem::take(&mut update.endpoints));
        self.choose_health_service(&config);
        self.config = Some(config);
        self.rescale();
    }

    /// The configuration in force from now on. A broken one leaves the good one in use, if there is one (A21).
    fn choose_config(
        &self,
        resolved: Option<&Result<Arc<ServiceConfig>, ConfigError>>,
    ) -> Result<Arc<ServiceConfig>, ConfigError> {
        match (resolved.filter(|_| self.plan.use_resolved_config), &self.config) {
            (None, _) => Ok(Arc::clone(&self.plan.default_config)),
            (Some(Ok(config)), _) => Ok(Arc::clone(config)),
            (Some(Err(error)), Some(in_use)) => {
                tracing::warn!(%error, "the resolver's service config is broken; the last good one stays in use");
                Ok(Arc::clone(in_use))
            }
            (Some(Err(error)), None) => Err(error.clone()),
        }
    }

    fn balance(&mut self, config: &ServiceConfig, endpoints: Vec<Endpoint>) {
        let choice = config.policy().cloned().or_else(|| self.plan.resolution.default_policy());
        let Some(choice) = choice else {
            return self.on_unresolved("no load-balancing policy is configured, and pick_first is not registered");
        };
        let update = Contained::new(LbResolution { endpoints: endpoints.into(), config: Some(Arc::new(choice)) });
        self.downfall = None;
        match self.policy(|root, cx| root.on_resolution(cx, &update)) {
            Some(Ok(())) => {
                self.resolver_backoff.reset();
                self.timers.cancel(Due::Resolver);
            }
            Some(Err(_)) => self.retry_resolution(),
            // It has panicked, and the resolver will be asked again.
            None => {}
        }
    }

    /// The name did not resolve: what resolved before stays in use, and calls fail if nothing did.
    fn on_unresolved(&mut self, text: &str) {
        tracing::debug!(error = text, "resolution failed");
        if !self.has_selector() {
            self.select(Arc::<ServiceConfig>::clone(&self.plan.default_config));
        }
        let error = self.downfall.clone().unwrap_or_else(|| Status::unavailable(text));
        self.policy(|root, cx| root.on_resolver_error(cx, &error));
        self.retry_resolution();
    }

    /// Has the resolver asked again after its backoff.
    pub(super) fn retry_resolution(&mut self) {
        let wait = self.resolver_backoff.next(&mut self.random);
        self.timers.set(Due::Resolver, deadline::from_now(rt::now(), wait));
    }
}
