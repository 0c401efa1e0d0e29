//! The words, the provider trait, the pipeline and the safety rules of Safelight.
//!
//! Everything else points here; this crate imports none of the others and does no I/O of its own: files,
//! network, database, time and terminal are handed in as values.

pub mod address;
pub mod adopt;
pub mod arriving;
pub mod body;
pub mod capability;
pub mod catalog;
pub mod class;
pub mod codes;
pub mod digest;
pub mod entry;
pub mod error;
pub mod escape;
pub mod extras;
pub mod filter;
pub mod group;
pub mod http;
pub mod inspect;
pub mod job;
pub mod key;
pub mod literal;
pub mod marker;
pub mod mirror;
pub mod monitor;
pub mod names;
pub mod notebook;
pub mod permit;
pub mod provider;
pub mod recognise;
pub mod registry;
pub mod renewal;
pub mod seats;
pub mod secret;
pub mod sign_in;
pub mod taken;
pub mod template;
pub mod time;
pub mod traits;
pub mod verdict;
mod words;
pub mod wrap;
