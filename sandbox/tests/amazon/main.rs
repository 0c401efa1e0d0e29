//! The Amazon Photos stand-in, asked by hand-written requests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod account;
mod albums;
mod downloads;
mod faults;
mod listings;
mod nodes;
mod sessions;
mod support;
mod trash;
mod uploads;
