//! Whole runs against the stand-ins of the clouds: the engine, the catalog and the provider together, everything
//! that goes wrong on the wire included.
//!
//! The library is in memory, requests go to the stand-ins without sockets, and time runs by itself, so that waits
//! of minutes cost nothing. `world` is what the tests stand on.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod amazon;
mod figures;
mod leaving;
mod line;
mod loops;
mod mission;
mod source;
mod three;
mod world;
