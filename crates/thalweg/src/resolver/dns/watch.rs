//! One name, looked up again and again: when to, and what comes of it.

use std::{
    future::{self, Future},
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use thalweg_core::{endpoint::Endpoint, json::ConfigError, service_config::ServiceConfig};

use super::{
    DnsOptions,
    lookup::{Answer, Lookup, failed},
    txt::{self, Client},
};
use crate::{
    resolver::{ResolveError, Resolver, ResolverContext, ResolverUpdate},
    rt::{self, BoxFuture},
};

/// The least time between a failed look-up and the next, however often the channel asks.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

type TxtConfig = Option<Result<Arc<ServiceConfig>, ConfigError>>;

/// The running resolution of one host name.
#[derive(Debug)]
pub(super) struct Watch {
    host: String,
    port: u16,
    options: DnsOptions,
    lookup: Box<dyn Lookup>,
    cx: ResolverContext,
    schedule: Schedule,
    client: Client,
    /// The service config of the last TXT look-up that succeeded.
    config: TxtConfig,
}

impl Watch {
    pub(super) fn new(
        host: &str,
        port: u16,
        options: DnsOptions,
        lookup: Box<dyn Lookup>,
        cx: ResolverContext,
    ) -> Self {
        let client = Client::of_this_process();
        Self { host: host.into(), port, options, lookup, cx, schedule: Schedule::default(), client, config: None }
    }

    async fn resolve(&mut self) -> Result<ResolverUpdate, ResolveError> {
        let txt_name = format!("_grpc_config.{}", self.host);
        let addresses = self.in_time(&self.host, self.lookup.addresses(&self.host));
        let records = async {
            match self.options.service_config_txt {
                true => self.in_time(&txt_name, self.lookup.txt(&txt_name)).await.map(Some),
                false => Ok(None),
            }
        };
        let (answer, records) = tokio::join!(addresses, records);
        self.schedule = Schedule::after(&answer, &self.options);
        let answer = answer?;
        match records {
            Ok(Some(records)) => self.config = self.read(&records),
            Ok(None) => {}
            Err(error) => tracing::warn!(host = self.host, %error, "the service config stays as it was"),
        }
        let endpoints = answer.addresses.into_iter().map(|ip| Endpoint::new([SocketAddr::new(ip, self.port)]));
        Ok(ResolverUpdate {
            endpoints: endpoints.collect(),
            service_config: self.config.clone(),
            ..ResolverUpdate::default()
        })
    }

    fn read(&self, records: &[String]) -> TxtConfig {
        let choice = txt::choose(records, &self.client).transpose()?;
        Some(
            choice.and_then(|choice| {
                self.cx.parse_service_config(&choice.json).map_err(|error| error.under(&choice.path))
            }),
        )
    }

    async fn in_time<T>(
        &self,
        name: &str,
        lookup: impl Future<Output = Result<T, ResolveError>>,
    ) -> Result<T, ResolveError> {
        tokio::select! {
            result = lookup => result,
            () = rt::sleep(self.options.timeout) => Err(failed(name, format!("no answer in {:?}", self.options.timeout))),
        }
    }
}

impl Resolver for Watch {
    fn next(&mut self) -> BoxFuture<'_, Result<ResolverUpdate, ResolveError>> {
        Box::pin(async move {
            self.schedule.due(&self.cx).await;
            self.resolve().await
        })
    }
}

/// A time, or never.
type Time = Option<Instant>;

/// When to look up next. At first: now.
#[derive(Clone, Copy, Debug, Default)]
enum Schedule {
    /// Somebody wants to know.
    #[default]
    Wanted,
    /// Somebody wants to know, but not before this time.
    At(Time),
    /// Nobody wants to know yet: wait for a question, to be answered no sooner than `earliest`, or for `poll`.
    Idle { earliest: Time, poll: Time },
}

impl Schedule {
    fn after(result: &Result<Answer, ResolveError>, options: &DnsOptions) -> Self {
        let now = rt::now();
        let (gap, ttl) = match result {
            Ok(answer) => (options.min_interval, answer.ttl.unwrap_or_default()),
            Err(_) => (options.min_interval.min(AFTER_FAILURE), Duration::ZERO),
        };
        let poll = options.polling.and_then(|polling| now.checked_add(polling.max(ttl).max(gap)));
        Self::Idle { earliest: now.checked_add(gap), poll }
    }

    /// Waits until it is time to look up. Dropped and called again, it goes on waiting: no question is lost.
    async fn due(&mut self, cx: &ResolverContext) {
        if let Self::Idle { earliest, poll } = *self {
            tokio::select! {
                () = cx.asked() => {}
                () = until(poll) => {}
            }
            *self = Self::At(earliest);
        }
        if let Self::At(time) = *self {
            until(time).await;
            *self = Self::Wanted;
        }
    }
}

/// Waits for a time, or for ever.
async fn until(time: Time) {
    match time {
        Some(time) => rt::sleep_until(time).await,
        None => future::pending().await,
    }
}
