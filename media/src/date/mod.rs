//! Dates as files and their names write them.

pub(crate) mod name;
pub(crate) mod pick;
pub(crate) mod stamp;
