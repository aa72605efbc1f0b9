//! `outlier_detection` (A50, by endpoint and by health as A61 has it): looks on while its child balances, and ejects the
//! endpoints whose calls fail too often.
//!
//! It counts how calls end by observing its child's subchannels, and sweeps once in an interval. An ejected endpoint is
//! `NotServing` to whoever watches its health below; its connections stay. The picker is the child's own.
//!
//! Where A50 leaves something open: endpoints are looked at in a random order; one that is ejected is not ejected once
//! more by a call that was still in flight, nor by the second algorithm of the same sweep; an ejection is over from the
//! very moment on at which its time has passed.

mod book;
mod outliers;

mod calls;
mod config;

use std::{collections::BTreeSet, sync::Arc, time::Instant};

pub use self::config::{Config, Factory, FailurePercentageEjection, SuccessRateEjection};
use self::{book::Book, outliers::Outlier};
use super::{
    LbPolicy,
    child::{ChildSet, Key},
    cx::Cx,
    event::{AnyConfig, Event, Rejected, Resolution},
    graceful_switch::GracefulSwitch,
    picker::{Fixed, Pick, Picker},
    token::{SubchannelId, Timer},
};
use crate::{connectivity::Connectivity, endpoint::EndpointKey, status::Status};

/// The policy. Its configuration is a [`Config`]; its `Debug` output shows every endpoint's counts, ejection and how
/// often it was ejected.
///
/// An event costs what it costs the child; a sweep and an update cost O(n log n).
#[derive(Debug)]
pub struct OutlierDetection {
    config: Option<Arc<Config>>,
    children: ChildSet<Book>,
    child: Key,
    /// While there is anything to detect.
    interval: Option<Interval>,
}

/// The interval that calls are being counted for.
#[derive(Clone, Copy, Debug)]
struct Interval {
    since: Instant,
    timer: Timer,
}

impl Default for OutlierDetection {
    fn default() -> Self {
        let mut children = ChildSet::tapped(Book::default());
        let child = children.insert(Box::new(GracefulSwitch::default()));
        Self { config: None, children, child, interval: None }
    }
}

impl OutlierDetection {
    fn pass_up(cx: &mut Cx<'_>, state: Option<Connectivity>) {
        if let Some(state) = state {
            cx.report(state);
        }
    }

    fn call(&mut self, cx: &mut Cx<'_>, call: impl FnOnce(&mut dyn LbPolicy, &mut Cx<'_>)) {
        let report = self.children.call(cx, self.child, call);
        Self::pass_up(cx, report.map(|report| report.to));
    }

    fn give(&mut self, cx: &mut Cx<'_>, event: &Event) {
        let report = self.children.route(cx, event);
        Self::pass_up(cx, report.map(|report| report.to));
    }

    /// Tells the child whose ejection began or ended, of these.
    fn tell(&mut self, cx: &mut Cx<'_>, concerned: &BTreeSet<SubchannelId>) {
        for event in self.children.tap_mut().news(concerned) {
            self.give(cx, &event);
        }
    }

    /// Begins, goes on with or ends counting and sweeping, as the configuration wants it.
    fn schedule(&mut self, cx: &mut Cx<'_>) {
        let before = self.interval.take();
        if let Some(Interval { timer, .. }) = before {
            cx.cancel(timer);
        }
        let Some(config) = self.config.as_ref().filter(|config| config.detects()) else {
            return self.children.tap_mut().pardon();
        };
        if before.is_none() {
            self.children.tap().take_calls();
        }
        let since = before.map_or_else(|| cx.now(), |before| before.since);
        let left = config.interval.saturating_sub(cx.now().saturating_duration_since(since));
        self.interval = Some(Interval { since, timer: cx.arm(left) });
    }

    /// The interval is over: ejects, ends ejections, and begins the next.
    fn sweep(&mut self, cx: &mut Cx<'_>, config: &Config) {
        let now = cx.now();
        self.interval = Some(Interval { since: now, timer: cx.arm(config.interval) });
        let (keys, calls) = (self.children.tap().keys(), self.children.tap().take_calls());
        let mut concerned = self.children.tap().ejected_subchannels();
        if let Some(rule) = &config.success_rate_ejection {
            let outliers = outliers::by_success_rate(rule, &calls);
            self.eject(cx, &keys, outliers, [rule.enforcement_percentage, config.max_ejection_percent]);
        }
        if let Some(rule) = &config.failure_percentage_ejection {
            let outliers = outliers::by_failure_percentage(rule, &calls);
            self.eject(cx, &keys, outliers, [rule.enforcement_percentage, config.max_ejection_percent]);
        }
        concerned.extend(self.children.tap().ejected_subchannels());
        let is_over = |since, times| now.saturating_duration_since(since) >= config.ejection_time(times);
        self.children.tap_mut().age(is_over);
        self.tell(cx, &concerned);
    }

    /// Ejects each of these with the chance `enforced`, until `most` of the endpoints are ejected (both in percent).
    fn eject(&mut self, cx: &mut Cx<'_>, keys: &[EndpointKey], mut outliers: Vec<Outlier>, [enforced, most]: [u32; 2]) {
        cx.random().shuffle(&mut outliers);
        let book = self.children.tap_mut();
        let (mut ejected, all, most) = (book.ejected(), keys.len() as u64, u64::from(most));
        for outlier in outliers {
            if ejected as u64 * 100 >= all * most {
                return;
            }
            let chosen = cx.random().below(100) < u64::from(enforced);
            if chosen && book.eject(&keys[outlier.place], cx.now(), &outlier.story) {
                ejected += 1;
            }
        }
    }
}

impl LbPolicy for OutlierDetection {
    fn on_resolution(&mut self, cx: &mut Cx<'_>, update: &Resolution) -> Result<(), Rejected> {
        let config = update.config_as::<Config>();
        if let Some(config) = config {
            self.config = Some(Arc::new(config.clone()));
        }
        let detects = self.config.as_ref().is_some_and(|config| config.detects());
        let mut concerned = self.children.tap().ejected_subchannels();
        concerned.extend(self.children.tap_mut().update(cx, &update.endpoints, detects));
        self.schedule(cx);
        let policy = config.map(|config| Arc::clone(&config.child_policy) as Arc<dyn AnyConfig>);
        let update = Resolution { endpoints: Arc::clone(&update.endpoints), config: policy };
        let mut verdict = Ok(());
        self.call(cx, |child, cx| verdict = child.on_resolution(cx, &update));
        self.tell(cx, &concerned);
        verdict
    }

    fn on_resolver_error(&mut self, cx: &mut Cx<'_>, error: &Status) {
        self.call(cx, |child, cx| child.on_resolver_error(cx, error));
    }

    fn on_event(&mut self, cx: &mut Cx<'_>, event: &Event) {
        match (event, self.interval) {
            (Event::Timer(timer), Some(interval)) if interval.timer == *timer => {
                if let Some(config) = self.config.clone() {
                    self.sweep(cx, &config);
                }
            }
            (Event::Health(watch, health), _) => {
                if let Some(event) = self.children.tap_mut().hear(*watch, health) {
                    self.give(cx, &event);
                }
            }
            _ => self.give(cx, event),
        }
    }

    fn exit_idle(&mut self, cx: &mut Cx<'_>) {
        self.call(cx, |child, cx| child.exit_idle(cx));
    }

    fn picker(&mut self, cx: &mut Cx<'_>) -> Arc<dyn Picker> {
        self.children.take_stale();
        self.children.picker(cx, self.child).unwrap_or_else(|| Arc::new(Fixed::new(Pick::Queue)))
    }

    fn shutdown(&mut self, cx: &mut Cx<'_>) {
        if let Some(Interval { timer, .. }) = self.interval.take() {
            cx.cancel(timer);
        }
        self.children.clear(cx);
    }
}

#[cfg(test)]
mod tests;
