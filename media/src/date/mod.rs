//! When something was taken: local time, what is known of its difference to UTC, where it was read, how sure it is.

pub(crate) mod name;
pub(crate) mod pick;
mod source;
pub(crate) mod stamp;
mod taken;

pub use source::{Confidence, Source};
pub use taken::{Taken, Zone};
