//! The bandwidth-delay product, estimated from what comes in between a PING and its acknowledgement: the smallest window
//! that doesn't slow the peer down.

#[cfg(test)]
mod tests;

/// What a PING of the estimate carries.
pub const PROBE: [u8; 8] = *b"thalweg?";

/// How many first round trips are averaged evenly; later ones move the average at once.
const FIRST_TRIPS: u32 = 10;
/// How much a later round trip counts against all before it.
const RECENT: f64 = 0.9;
/// A round trip below the resolution of the clock counts as this many milliseconds.
const SHORTEST_TRIP: f64 = 0.5;

/// One estimate for one connection. A round trip in which more than two thirds of the present estimate came in, faster than
/// ever before, sets it to twice what came in.
#[derive(Debug)]
pub struct Estimate {
    bytes: u32,
    most: u32,
    probe: Option<Probe>,
    trips: u32,
    trip: f64,
    fastest: f64,
}

/// A PING under way.
#[derive(Debug)]
struct Probe {
    sent: u64,
    received: u64,
}

impl Estimate {
    /// An estimate that begins with a window of `first` bytes and never exceeds `most`.
    #[must_use]
    pub fn new(first: u32, most: u32) -> Self {
        Self { bytes: first, most, probe: None, trips: 0, trip: 0.0, fastest: 0.0 }
    }

    /// Bytes came in at `now`, in milliseconds. The answer is whether a PING with [`PROBE`] is to be sent.
    pub fn received(&mut self, bytes: u32, now: u64) -> bool {
        if let Some(probe) = &mut self.probe {
            probe.received += u64::from(bytes);
            return false;
        }
        if self.bytes >= self.most {
            return false;
        }
        self.probe = Some(Probe { sent: now, received: u64::from(bytes) });
        true
    }

    /// The PING is acknowledged at `now`, in milliseconds. The answer is a larger window in bytes, if it has to be larger.
    pub fn acknowledged(&mut self, now: u64) -> Option<u32> {
        let Probe { sent, received } = self.probe.take()?;
        self.average(now.saturating_sub(sent) as f64);
        let speed = received as f64 / self.trip;
        let is_fastest = speed > self.fastest;
        self.fastest = self.fastest.max(speed);
        let fills_the_window = received * 3 >= u64::from(self.bytes) * 2;
        let wanted = u32::try_from(received * 2).unwrap_or(u32::MAX).min(self.most);
        if !is_fastest || !fills_the_window || wanted <= self.bytes {
            return None;
        }
        self.bytes = wanted;
        Some(wanted)
    }

    fn average(&mut self, trip: f64) {
        let trip = trip.max(SHORTEST_TRIP);
        self.trips = self.trips.saturating_add(1);
        let weight = if self.trips <= FIRST_TRIPS { 1.0 / f64::from(self.trips) } else { RECENT };
        self.trip += (trip - self.trip) * weight;
    }
}
