//! `empty_unary` and `large_unary`.

use thalweg_proto::interop::Empty;

use super::{
    expect::{Failure, answered, same, zeros},
    request,
    target::Target,
};
use crate::payload::LARGE_RESPONSE;

pub(super) async fn empty(target: &Target) -> Result<(), Failure> {
    let response = answered("EmptyCall", target.stub().empty_call(Empty {}).await)?;
    same("EmptyCall", &Empty {}, response.get_ref())
}

pub(super) async fn large(target: &Target) -> Result<(), Failure> {
    let response = answered("UnaryCall", target.stub().unary_call(request::large()).await)?;
    zeros("UnaryCall", LARGE_RESPONSE, response.into_inner().payload)
}
