//! Inspections of real, made-up and spoilt files, and groups of them.
#![allow(clippy::unwrap_used)]

mod broken;
mod build;
mod formats;
mod hostile;
mod pieces;
mod samples;
mod speed;
