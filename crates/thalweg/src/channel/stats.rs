//! What can be seen of a channel's connections, and of the calls that wait for them (A14, A105).

use thalweg_core::endpoint::Address;

use super::Channel;
use crate::transport::counters::{ConnectionStats, ConnectionTotals, StreamStats};

/// The connections to one address at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct SubchannelStats {
    /// Where they lead.
    pub address: Address,
    /// The oldest first; calls take the first that has a stream for them.
    pub connections: Vec<ConnectionStats>,
    /// How many there may be (A105's `max_connections_per_subchannel`, clamped).
    pub max_connections: u32,
    /// Calls that have ever had to wait for a stream here.
    pub calls_queued: u64,
    /// Calls that wait for a stream now.
    pub calls_waiting: usize,
}

impl Channel {
    /// What each connection that calls can use right now has done so far, and where it stands (A14's socket data).
    #[must_use]
    pub fn connection_stats(&self) -> Vec<ConnectionStats> {
        self.subchannel_stats().into_iter().flat_map(|subchannel| subchannel.connections).collect()
    }

    /// The same by address, with how many calls had to wait for a stream. Every address is listed that calls can be sent to
    /// right now.
    #[must_use]
    pub fn subchannel_stats(&self) -> Vec<SubchannelStats> {
        let snapshot = self.control.board.load();
        let ready = snapshot.ready.iter().flatten();
        let stats = ready.map(|ready| {
            let seen = ready.pool.stats();
            SubchannelStats {
                address: ready.address.clone(),
                connections: seen.connections,
                max_connections: seen.most,
                calls_queued: seen.queued,
                calls_waiting: seen.waiting,
            }
        });
        stats.collect()
    }

    /// Each call's stream on each connection that is open, with its windows. It is a snapshot for whoever looks into what
    /// waits, not something to ask for all the time: every connection has to answer.
    pub async fn stream_stats(&self) -> Vec<StreamStats> {
        self.control.facts.ledger.streams().await
    }

    /// What all connections have done together since the channel was built, whichever address they led to, those that are
    /// over included: their counters, how they ended, and which rules their servers broke.
    #[must_use]
    pub fn connection_totals(&self) -> ConnectionTotals {
        self.control.facts.ledger.totals()
    }
}
