//! What the peer's frames do to the sending half, once per batch.

use super::{Life, Sender, queue::Stream};
use crate::{
    config::Role,
    error::{Code, Rule, Violation},
    exchange::{Effects, GoAway},
    flow::TooLarge,
    frame::{ping::Ping, settings, settings::Settings},
};

impl<S: Clone> Sender<S> {
    /// Does what a batch of frames asks for, and empties `effects`. The [news](Self::news) tell of streams that it reset.
    ///
    /// # Errors
    /// The connection must end: the peer made a window too large, or makes more work than it reads answers to. Also if
    /// callers have caused a [`fault`](Self::fault).
    pub fn apply(&mut self, effects: &mut Effects) -> Result<(), Violation> {
        self.counters.add(&std::mem::take(&mut effects.counters));
        self.apply_ends(effects);
        for settings in effects.settings.drain(..) {
            self.apply_settings(&settings)?;
        }
        for (id, increment) in effects.windows.drain(..) {
            self.widen(id, increment)?;
        }
        for payload in effects.pings.drain(..) {
            self.answer_with(|sender| sender.output.buffer.frame(|out| Ping { ack: true, payload }.write(out)));
        }
        if let Some(payload) = effects.probe.take() {
            self.ping(payload);
        }
        for (id, bytes) in effects.padding.drain(..) {
            self.answer_with(|sender| sender.credit(id, bytes));
        }
        if let Some(size) = effects.grow.take() {
            self.grow(size);
        }
        let owed = self.receipts.receive(std::mem::take(&mut effects.received));
        self.widen_connection(owed);
        self.pump(false);
        self.check()
    }

    /// Streams that begin and end.
    fn apply_ends(&mut self, effects: &mut Effects) {
        for id in effects.accepted.drain(..) {
            if self.life != Life::Closed {
                self.counters.streams_started += 1;
                self.streams.insert(id, Stream::new(self.peer.initial_window));
            }
        }
        for id in effects.ended.drain(..) {
            self.end_peer(id);
        }
        for id in effects.gone.drain(..) {
            self.fail(id);
        }
        for (id, code) in effects.resets.drain(..) {
            self.fail(id);
            self.answer_with(|sender| sender.append_reset(id, code));
        }
        if let Some(go_away) = effects.go_away.take() {
            self.drain(&go_away);
        }
    }

    /// The peer has ended its side. If that is the answer, the stream is over.
    fn end_peer(&mut self, id: u32) {
        if self.role == Role::Server {
            if let Some(stream) = self.streams.get_mut(id) {
                stream.peer_ended = true;
            }
        } else if let Some(stream) = self.streams.remove(id) {
            self.counters.streams_succeeded += 1;
            if !stream.we_ended || stream.queue.is_some() {
                // What else we had to say is not wanted, and the peer is to know that it does not come.
                self.append_reset(id, Code::NO_ERROR);
            }
            self.discard(stream);
        }
    }

    /// A stream ended before its time.
    fn fail(&mut self, id: u32) {
        if let Some(stream) = self.streams.remove(id) {
            self.counters.streams_failed += 1;
            self.discard(stream);
        }
    }

    /// GOAWAY (RFC 9113 section 6.8): streams that the peer does not process are over.
    fn drain(&mut self, go_away: &GoAway) {
        if self.role == Role::Server {
            // It concerns streams that a server would open.
            return;
        }
        if self.life == Life::Open {
            self.life = Life::Draining;
        }
        for (_, stream) in self.streams.extract(|id, _| id > go_away.last_stream) {
            self.counters.streams_failed += 1;
            self.discard(stream);
        }
    }

    /// SETTINGS (RFC 9113 section 6.5): each is obeyed, then all are acknowledged.
    fn apply_settings(&mut self, settings: &Settings) -> Result<(), Violation> {
        for size in [settings.least_table_size, settings.header_table_size].into_iter().flatten() {
            self.blocks.set_max_table_size(size as usize);
        }
        if let Some(max) = settings.max_concurrent_streams {
            self.peer.max_concurrent = max;
        }
        if let Some(size) = settings.max_frame_size {
            self.output.max_frame_size = size as usize;
        }
        if let Some(size) = settings.max_header_list_size {
            self.peer.max_header_list_size = Some(size as usize);
        }
        if let Some(size) = settings.initial_window_size {
            self.shift_windows(size)?;
        }
        self.peer.is_settled = true;
        self.answer_with(|sender| sender.output.buffer.frame(settings::write_ack));
        Ok(())
    }

    /// All streams begin with this window, those that are open already too (RFC 9113 section 6.9.2).
    fn shift_windows(&mut self, size: u32) -> Result<(), Violation> {
        let difference = i64::from(size) - i64::from(self.peer.initial_window);
        self.peer.initial_window = size;
        for (id, stream) in self.streams.iter_mut() {
            stream.window.shift(difference).map_err(|TooLarge| {
                let text = format!("SETTINGS: an initial window of {size} makes that of stream {id} exceed 2^31-1");
                Violation::new(Code::FLOW_CONTROL_ERROR, text)
            })?;
            self.output.schedule.admit(id, stream);
        }
        Ok(())
    }

    /// WINDOW_UPDATE (RFC 9113 section 6.9). A window that becomes too large ends what it is the window of.
    fn widen(&mut self, id: u32, increment: u32) -> Result<(), Violation> {
        let too_large = |whose: &str| {
            let text = format!("WINDOW_UPDATE by {increment}: the window of {whose} would exceed 2^31-1");
            Violation::new(Code::FLOW_CONTROL_ERROR, text)
        };
        if id == 0 {
            return self.output.window.widen(increment).map_err(|TooLarge| too_large("the connection"));
        }
        let Some(stream) = self.streams.get_mut(id) else { return Ok(()) };
        if stream.window.widen(increment).is_ok() {
            self.output.schedule.admit(id, stream);
            return Ok(());
        }
        self.fail(id);
        self.answer_with(|sender| sender.append_reset(id, Code::FLOW_CONTROL_ERROR));
        self.news.offended.push((id, too_large(&format!("stream {id}"))));
        Ok(())
    }

    /// Announces larger windows, for the connection and all of its streams.
    fn grow(&mut self, size: u32) {
        let settings = Settings { initial_window_size: Some(size), ..Settings::default() };
        self.output.buffer.frame(|out| settings.write(out));
        let more = self.receipts.grow(size);
        self.widen_connection(more);
    }

    /// Appends what the peer has caused: if it does not read, that must not become much (CVE-2019-9517).
    fn answer_with<R>(&mut self, append: impl FnOnce(&mut Self) -> R) {
        let before = self.output.buffer.len();
        append(self);
        self.answers += self.output.buffer.len() - before;
    }

    fn check(&mut self) -> Result<(), Violation> {
        if self.answers > self.max_answers {
            let text = format!("{} bytes of answers wait, and the peer does not read", self.answers);
            return Err(Violation::excess(Rule::UnsentAnswers, text));
        }
        self.fault().map_or(Ok(()), Err)
    }
}
