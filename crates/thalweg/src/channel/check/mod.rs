//! The health check of one subchannel at work (A17): a task that keeps a `Watch` stream open and tells what it hears.

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use thalweg_core::{
    endpoint::Address,
    health::{HealthCheck, ServingStatus},
    lb::Health,
    random::Random,
    status::Status as CoreStatus,
};
use thalweg_proto::health::{HealthCheckRequest, health_client::HealthClient};
use tonic::{Code, Status};

use crate::{
    control::{ChannelFacts, ControlEvent},
    direct::Direct,
    error::{LocalError, core_code},
    rt::{self, Task},
    snapshot::ReadySubchannel,
    subchannel::pool::Members,
};

/// A check at work. Dropping it ends its stream.
#[derive(Debug)]
pub(super) struct Check {
    service: Arc<str>,
    /// Where it began.
    connection: u64,
    latest: Arc<Latest>,
    _task: Task,
}

impl Check {
    /// Does what `machine` decides on the one connection that is given; `tell` hears when there is news to be taken.
    pub(super) fn start(
        machine: HealthCheck,
        facts: ChannelFacts,
        place: ReadySubchannel,
        tell: impl Fn(ControlEvent) + Clone + Send + Sync + 'static,
    ) -> Self {
        let (service, latest) = (machine.service().clone(), Arc::<Latest>::default());
        let connection = place.connections.first().map_or(0, |member| member.attempt);
        let (id, address) = (place.id, place.address.clone());
        let nudge = {
            let tell = tell.clone();
            move || tell(ControlEvent::HealthNews(id))
        };
        let news = News { latest: latest.clone(), told: machine.health().clone(), nudge };
        let (calls, findings) = Direct::new(facts, place);
        let task = rt::spawn(async move {
            tokio::join!(run(machine, address, calls, news), findings.forward(tell));
        });
        Self { service, connection, latest, _task: task }
    }

    /// Is it this service that it asks for, on one of these connections?
    pub(super) fn asks(&self, service: &str, connections: &Members) -> bool {
        *self.service == *service && connections.iter().any(|member| member.attempt == self.connection)
    }

    /// The latest news, if there is any since the last look.
    pub(super) fn news(&self) -> Option<Health> {
        self.latest.take()
    }
}

/// The latest news of a check: a server whose health flickers makes no queue.
#[derive(Debug, Default)]
struct Latest(Mutex<Option<Health>>);

impl Latest {
    /// Was there nothing before?
    fn put(&self, health: Health) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).replace(health).is_none()
    }

    fn take(&self) -> Option<Health> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Tells each change, and no more than that.
struct News<F> {
    latest: Arc<Latest>,
    told: Health,
    nudge: F,
}

impl<F: Fn()> News<F> {
    fn tell(&mut self, health: &Health) {
        if self.told == *health {
            return;
        }
        self.told = health.clone();
        if self.latest.put(health.clone()) {
            (self.nudge)();
        }
    }
}

/// Keeps a stream open, one at a time, until the server turns out not to report its health.
async fn run(mut machine: HealthCheck, address: Address, calls: Direct, mut news: News<impl Fn()>) {
    let mut random = Random::new(fastrand::u64(..));
    let mut client = HealthClient::new(calls);
    loop {
        machine.begun(rt::now());
        news.tell(machine.health());
        let end = follow(&mut client, &mut machine, &mut news).await;
        let again = machine.ended(rt::now(), &plain(&end), &mut random);
        news.tell(machine.health());
        let Some(again) = again else {
            tracing::error!(%address, "the server does not report its health (UNIMPLEMENTED): calls go there unchecked");
            return;
        };
        tracing::debug!(%address, status = %end, "the health watch failed");
        rt::sleep_until(again).await;
    }
}

/// One stream, to its end.
async fn follow(client: &mut HealthClient<Direct>, machine: &mut HealthCheck, news: &mut News<impl Fn()>) -> Status {
    let request = HealthCheckRequest { service: machine.service().as_ref().into() };
    let mut answers = match client.watch(request).await {
        Ok(answers) => answers.into_inner(),
        Err(status) => return status,
    };
    loop {
        match answers.message().await {
            Ok(Some(answer)) => {
                machine.answered(ServingStatus::from_number(answer.status));
                news.tell(machine.health());
            }
            Ok(None) => return Status::new(Code::Ok, ""),
            Err(status) => return status,
        }
    }
}

/// The status as the machine takes it, without the address, which is told with it.
fn plain(status: &Status) -> CoreStatus {
    let code = core_code(status.code());
    match LocalError::of(status) {
        Some(LocalError::Wire(error)) => CoreStatus::new(code, error.to_string()),
        _ => CoreStatus::new(code, status.message()),
    }
}
