//! Retry policy, hedging policy and throttling as configured (A6). They are validated here and act elsewhere.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    json::{ConfigError, Node, Object},
    status::Code,
};

/// How a failed call is tried again.
#[derive(Clone, PartialEq, Debug)]
pub struct RetryPolicy {
    /// Attempts in all, the first included; at least 2. The client's own limit applies as well.
    pub max_attempts: u32,
    /// The wait before the first retry, before jitter; above zero.
    pub initial_backoff: Duration,
    /// The longest wait, before jitter; above zero.
    pub max_backoff: Duration,
    /// By how much the wait grows with each retry; above zero.
    pub backoff_multiplier: f64,
    /// The codes worth another attempt; at least one.
    pub retryable: BTreeSet<Code>,
}

impl RetryPolicy {
    pub(super) fn parse(node: &Node<'_>) -> Result<Self, ConfigError> {
        let fields = node.object()?;
        Ok(Self {
            max_attempts: max_attempts(&fields)?,
            initial_backoff: fields.required("initialBackoff", positive_duration)?,
            max_backoff: fields.required("maxBackoff", positive_duration)?,
            backoff_multiplier: fields.required("backoffMultiplier", positive_number)?,
            retryable: fields.required("retryableStatusCodes", |node| {
                let codes: BTreeSet<_> = node.list(Node::code)?;
                if codes.is_empty() { Err(node.error("must name at least one status code")) } else { Ok(codes) }
            })?,
        })
    }
}

/// How a call is sent again before an answer has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HedgingPolicy {
    /// Attempts in all, the first included; at least 2. The client's own limit applies as well.
    pub max_attempts: u32,
    /// The wait between attempts; zero sends them all at once.
    pub hedging_delay: Duration,
    /// The codes after which the other attempts go on; any other ends the call.
    pub non_fatal: BTreeSet<Code>,
}

impl HedgingPolicy {
    pub(super) fn parse(node: &Node<'_>) -> Result<Self, ConfigError> {
        let fields = node.object()?;
        Ok(Self {
            max_attempts: max_attempts(&fields)?,
            hedging_delay: fields.optional("hedgingDelay", Node::duration)?.unwrap_or_default(),
            non_fatal: fields.optional("nonFatalStatusCodes", |node| node.list(Node::code))?.unwrap_or_default(),
        })
    }
}

/// When failures stop retries and hedges: a bucket of tokens, counted in thousandths so that arithmetic is exact.
///
/// A failure takes a token (1000), a success gives `token_ratio`; at half of `max_tokens` and below nothing is retried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetryThrottling {
    /// The bucket's size and first content, in thousandths of a token: 1 to 1,000,000.
    pub max_tokens: u32,
    /// What a success gives back, in thousandths of a token: at least 1.
    pub token_ratio: u32,
}

impl RetryThrottling {
    pub(super) fn parse(node: &Node<'_>) -> Result<Self, ConfigError> {
        let fields = node.object()?;
        let max_tokens = fields.required("maxTokens", |node| {
            let tokens = thousandths(node)?;
            if tokens > 1_000_000 { Err(node.error("must be at most 1000")) } else { Ok(tokens) }
        })?;
        Ok(Self { max_tokens, token_ratio: fields.required("tokenRatio", thousandths)? })
    }
}

fn max_attempts(fields: &Object<'_>) -> Result<u32, ConfigError> {
    fields.required("maxAttempts", |node| match node.u32()? {
        attempts @ 0..2 => Err(node.error(format!("must be at least 2, and is {attempts}"))),
        attempts => Ok(attempts),
    })
}

fn positive_duration(node: &Node<'_>) -> Result<Duration, ConfigError> {
    let duration = node.duration()?;
    if duration.is_zero() { Err(node.error("must be greater than zero")) } else { Ok(duration) }
}

fn positive_number(node: &Node<'_>) -> Result<f64, ConfigError> {
    let number = node.f64()?;
    if number > 0.0 { Ok(number) } else { Err(node.error("must be greater than zero")) }
}

/// A number above zero in thousandths, rounded to the nearest. What is too large is as large as can be.
fn thousandths(node: &Node<'_>) -> Result<u32, ConfigError> {
    match (positive_number(node)? * 1000.0).round() as u32 {
        0 => Err(node.error("must be at least 0.001")),
        thousandths => Ok(thousandths),
    }
}
