//! What the receiver tells of: events, each with the handle of its stream.

use super::payload::Payload;
use crate::{
    exchange::Cut,
    fields::Fields,
    frame::settings::Settings,
    head::{RequestHead, ResponseHead},
};

/// Whoever wants to hear what the peer sends. After `end`, [`trailers`](Self::trailers) or [`cut`](Self::cut) nothing
/// more comes for a stream; only a server can hear of a cut after the end of a request, as long as it has not answered.
pub trait Sink {
    /// The handle of a stream: what its events are addressed by.
    type Stream;

    /// The peer opened a stream; `end`: it has nothing more to say. The answer is the stream's handle.
    fn request(&mut self, id: u32, head: RequestHead, end: bool) -> Self::Stream;

    /// The final answer to a stream of ours has begun; `end`: it is over already.
    fn response(&mut self, stream: &Self::Stream, head: ResponseHead, end: bool);

    /// A part of the body, as it came; `end`: the last one. Its bytes wait to be credited to the stream.
    fn data(&mut self, stream: &Self::Stream, payload: Payload<'_>, end: bool);

    /// The peer ended its side with trailers.
    fn trailers(&mut self, stream: &Self::Stream, fields: Fields);

    /// The stream ended before its time.
    fn cut(&mut self, stream: &Self::Stream, cut: Cut);

    /// A PING came; its acknowledgement is under way already.
    fn ping(&mut self);

    /// A PING of ours is acknowledged.
    fn pong(&mut self, payload: [u8; 8]);

    /// The peer's SETTINGS came.
    fn settings(&mut self, settings: &Settings);
}
