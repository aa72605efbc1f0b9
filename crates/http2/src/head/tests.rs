//! What heads and trailers may say.
