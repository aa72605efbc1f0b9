//! The frames that bring neither heads nor data: SETTINGS, PING, GOAWAY, WINDOW_UPDATE, RST_STREAM and PRIORITY.

use super::{Receiver, Sink, streams::Absent};
use crate::{
    bdp::PROBE,
    config::Role,
    error::{Code, Fault, Violation},
    exchange::{Cut, GoAway},
    frame::{Head, go_away, ping, priority, reset, settings, window_update},
};

/// How much of GOAWAY's debug data is kept, in bytes.
const DEBUG_DATA: usize = 1024;

impl<S> Receiver<S> {
    pub(super) fn settings<K: Sink<Stream = S>>(
        &mut self,
        head: &Head,
        payload: &[u8],
        sink: &mut K,
    ) -> Result<(), Fault> {
        let Some(settings) = settings::parse(head, payload)? else { return Ok(self.settled()?) };
        if self.role == Role::Client && settings.enable_push == Some(true) {
            let text = "SETTINGS: a server cannot enable push";
            return Err(Violation::new(Code::PROTOCOL_ERROR, text).into());
        }
        self.budget.settings()?;
        sink.settings(&settings);
        self.effects.settings.push(settings);
        Ok(())
    }

    /// The peer has acknowledged SETTINGS of ours. Only with the first of them windows may become smaller.
    fn settled(&mut self) -> Result<(), Violation> {
        if !self.is_settled {
            self.is_settled = true;
            self.streams.settle(self.stream_window);
        }
        self.budget.idle_frame()
    }

    pub(super) fn ping<K: Sink<Stream = S>>(&mut self, head: &Head, payload: &[u8], sink: &mut K) -> Result<(), Fault> {
        let ping = ping::parse(head, payload)?;
        self.budget.idle_frame()?;
        if !ping.ack {
            self.effects.pings.push(ping.payload);
            sink.ping();
        } else if ping.payload == PROBE {
            self.probed();
        } else {
            sink.pong(ping.payload);
        }
        Ok(())
    }

    /// A round trip of the estimate is over.
    fn probed(&mut self) {
        let Some(window) = self.estimate.as_mut().and_then(|estimate| estimate.acknowledged(self.now)) else { return };
        self.effects.grow = Some(window);
        self.streams.set_window(window);
    }

    pub(super) fn go_away<K: Sink<Stream = S>>(
        &mut self,
        head: &Head,
        payload: &[u8],
        sink: &mut K,
    ) -> Result<(), Fault> {
        let frame = go_away::parse(head, payload)?;
        let before = self.go_away.as_ref().map_or(u32::MAX, |before| before.last_stream);
        if frame.last_stream > before {
            let text = format!("GOAWAY: the last stream is {}, after {before} was said", frame.last_stream);
            return Err(Violation::new(Code::PROTOCOL_ERROR, text).into());
        }
        let debug = &frame.debug[..frame.debug.len().min(DEBUG_DATA)];
        let debug = String::from_utf8_lossy(debug).into_owned();
        let go_away = GoAway { last_stream: frame.last_stream, code: frame.code, debug };
        self.budget.idle_frame()?;
        self.effects.go_away = Some(go_away.clone());
        self.go_away = Some(go_away);
        self.cut_unprocessed(sink);
        Ok(())
    }

    /// Ends the streams of ours that the peer has said it did not process.
    pub(super) fn cut_unprocessed<K: Sink<Stream = S>>(&mut self, sink: &mut K) {
        let Some(go_away) = self.go_away.as_ref().filter(|_| self.role == Role::Client) else { return };
        for (id, entry) in self.streams.above(go_away.last_stream) {
            self.streams.remember(id);
            sink.cut(&entry.stream, Cut::GoAway(go_away.clone()));
        }
    }

    pub(super) fn window_update(&mut self, head: &Head, payload: &[u8]) -> Result<(), Fault> {
        let is_absent = head.stream != 0 && self.streams.get(head.stream).is_none();
        if is_absent && self.streams.absent(head.stream) == Absent::Idle {
            return Err(self.idle(head));
        }
        self.budget.window_update()?;
        let increment = window_update::parse(head, payload)?;
        if !is_absent {
            self.effects.windows.push((head.stream, increment));
        }
        Ok(())
    }

    pub(super) fn reset<K: Sink<Stream = S>>(
        &mut self,
        head: &Head,
        payload: &[u8],
        sink: &mut K,
    ) -> Result<(), Fault> {
        let code = reset::parse(head, payload)?;
        let Some(entry) = self.streams.remove(head.stream) else {
            let is_idle = self.streams.absent(head.stream) == Absent::Idle;
            return if is_idle { Err(self.idle(head)) } else { Ok(self.budget.late_frame()?) };
        };
        self.effects.gone.push(head.stream);
        self.effects.counters.resets_received += 1;
        sink.cut(&entry.stream, Cut::Reset(code));
        let is_early = self.role == Role::Server && entry.batch == self.batch;
        Ok(self.budget.reset(is_early)?)
    }

    pub(super) fn priority(&mut self, head: &Head, payload: &[u8]) -> Result<(), Fault> {
        self.budget.idle_frame()?;
        priority::parse(head, payload)
    }
}
