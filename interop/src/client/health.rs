//! Cases of our own about health: what a server says of its services (doc/health-checking, A90), and a channel that minds
//! it (A17).

use std::collections::BTreeMap;

use thalweg_proto::{
    health::{
        HealthCheckRequest, HealthListRequest, health_check_response::ServingStatus, health_client::HealthClient,
    },
    interop::Empty,
};
use tonic::Code;

use super::{
    expect::{Failure, answered, answered_next, failed, same},
    target::Target,
};
use crate::health::{ILL, NOBODY, WELL};

pub(super) async fn check(target: &Target) -> Result<(), Failure> {
    let mut client = HealthClient::new(target.channel());
    for (service, status) in [("", WELL.1), WELL, ILL] {
        let what = format!("Check {service:?}");
        let response = answered(&what, client.check(about(service)).await)?;
        same(&what, &status, &response.get_ref().status())?;
    }
    failed("Check of an unknown service", Code::NotFound, client.check(about(NOBODY)).await)?;
    for (service, status) in [WELL, ILL, (NOBODY, ServingStatus::ServiceUnknown)] {
        let what = format!("Watch {service:?}");
        let mut statuses = answered(&what, client.watch(about(service)).await)?.into_inner();
        same(&what, &status, &answered_next(&what, statuses.message().await)?.status())?;
    }
    Ok(())
}

pub(super) async fn list(target: &Target) -> Result<(), Failure> {
    let response = answered("List", HealthClient::new(target.channel()).list(HealthListRequest {}).await)?.into_inner();
    let listed: BTreeMap<_, _> =
        response.statuses.iter().map(|(name, status)| (name.as_str(), status.status())).collect();
    same("List", &BTreeMap::from([("", WELL.1), WELL, ILL]), &listed)
}

pub(super) async fn aware_channel(target: &Target) -> Result<(), Failure> {
    let well = target.minding(WELL.0)?.empty_call(Empty {}).await;
    answered("EmptyCall to a service that serves", well)?;
    for (service, state) in [(ILL.0, "does not serve"), (NOBODY, "is unknown")] {
        let what = format!("EmptyCall to a service that {state}");
        failed(&what, Code::Unavailable, target.minding(service)?.empty_call(Empty {}).await)?;
    }
    Ok(())
}

fn about(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.to_owned() }
}
