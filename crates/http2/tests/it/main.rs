//! The two halves of a connection from outside: what they make of a peer that breaks rules, and of each other.

mod bytes_of;
mod histories;
mod record;
mod violations;
