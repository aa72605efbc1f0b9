//! The health of a channel's connections (A17, A61): who watches it, what they were told, and the check behind it.
//!
//! A subchannel is checked while it is READY, the service config names a service and somebody watches; once, however many
//! do and however many connections it has (A105). `pick_first` as the policy of the channel watches nobody's health, its
//! leaves under other policies do.

use std::sync::Arc;

use thalweg_core::{
    health::HealthCheck,
    lb::{Event, Health, SubchannelId, Watch},
    service_config::ServiceConfig,
};

use super::{check::Check, driver::Driver, execute::teller, subchannels::Subchannel};
use crate::{snapshot::ReadySubchannel, subchannel::pool::Members};

/// What is known of the health of a subchannel, and who hears of it.
#[derive(Debug)]
pub(super) struct Watched {
    watches: Vec<Watch>,
    /// As it was told last.
    health: Health,
    check: Option<Check>,
}

impl Default for Watched {
    fn default() -> Self {
        Self { watches: vec![], health: Health::Pending, check: None }
    }
}

impl Watched {
    /// Sets what is known, and what to tell if that is news.
    fn set(&mut self, health: Health) -> Vec<Event> {
        if self.health == health {
            return vec![];
        }
        self.health = health;
        self.watches.iter().map(|watch| Event::Health(*watch, self.health.clone())).collect()
    }
}

impl Driver {
    /// The service that the backends are asked for, from now on. Those that are connected keep the health they had until
    /// they answer for the new one, so that no call waits for the change.
    pub(super) fn choose_health_service(&mut self, config: &ServiceConfig) {
        let service = config.health_check_service().filter(|_| self.plan.health_checks);
        if service == self.health_service.as_deref() {
            return;
        }
        self.health_service = service.map(Into::into);
        for id in self.subchannels.ids() {
            self.refresh_health(id);
        }
    }

    /// Another one watches, and hears at once what is known.
    pub(super) fn watch_health(&mut self, watch: Watch) {
        let id = watch.of();
        let Some(Subchannel { watched, .. }) = self.subchannels.get_mut(id) else { return };
        watched.watches.push(watch);
        // It is new to the first of them only.
        let health = self.check_health(id);
        if let Some(Subchannel { watched, .. }) = self.subchannels.get_mut(id) {
            watched.health = health.clone();
        }
        self.inbox.push_back(Event::Health(watch, health));
    }

    /// One watches no longer.
    pub(super) fn unwatch_health(&mut self, watch: Watch) {
        let Some(Subchannel { watched, .. }) = self.subchannels.get_mut(watch.of()) else { return };
        if let Some(place) = watched.watches.iter().position(|present| *present == watch) {
            watched.watches.swap_remove(place);
            self.refresh_health(watch.of());
        }
    }

    /// The connections, the watches or the configuration have changed. Where a check has to move to another connection, the
    /// health stays as it was until the server answers there.
    pub(super) fn refresh_health(&mut self, id: SubchannelId) {
        let health = self.check_health(id);
        self.tell_health(id, health);
    }

    /// The check of a subchannel has news, unless another has taken its place.
    pub(super) fn on_health_news(&mut self, id: SubchannelId) {
        let Some(Subchannel { watched, .. }) = self.subchannels.get_mut(id) else { return };
        if let Some(health) = watched.check.as_ref().and_then(Check::news) {
            self.tell_health(id, health);
        }
    }

    fn tell_health(&mut self, id: SubchannelId, health: Health) {
        if let Some(Subchannel { watched, .. }) = self.subchannels.get_mut(id) {
            self.inbox.extend(watched.set(health));
        }
    }

    /// Starts, replaces or ends the check of a subchannel, and says what is known from now on.
    fn check_health(&mut self, id: SubchannelId) -> Health {
        let Some(Subchannel { watched, pool, address, .. }) = self.subchannels.get_mut(id) else {
            return Health::Pending;
        };
        let connections = if watched.watches.is_empty() { Members::new() } else { pool.members() };
        let health = match (connections.first(), &self.health_service) {
            (None, _) => Health::Pending,
            (Some(_), None) => Health::Serving,
            (Some(oldest), Some(service)) => {
                let stands = watched.check.as_ref().is_some_and(|check| check.asks(service, &connections));
                if !stands && let Some(control) = self.control.upgrade() {
                    let machine = HealthCheck::new(service.clone(), self.plan.backoff);
                    let connections = Members::from_iter([oldest.clone()]);
                    let (address, pool) = (address.clone(), pool.clone());
                    let place = ReadySubchannel { id, address, connections, pool, trackers: Arc::new([]) };
                    let tell = teller(self.mailbox.clone());
                    watched.check = Some(Check::start(machine, control.facts.clone(), place, tell));
                }
                return watched.health.clone();
            }
        };
        watched.check = None;
        health
    }
}
