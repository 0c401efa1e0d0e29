//! The Dropbox stand-in, asked by hand-written requests and by the official client.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod batches;
mod calls;
mod editing;
mod faults;
mod limits;
mod listing;
mod names;
mod official;
mod on_disk;
mod reading;
mod relocation;
mod restart;
mod service;
mod sessions;
mod sign_in;
mod team;
mod tls;
mod upload;
