//! Taking everything out of a service.
//!
//! Leaving is a question first: what is there ([`inventory`]), what of it is proven elsewhere ([`weigh`]), and may the
//! membership end ([`leave`])? What is nowhere else is fetched by the engine that mirrors: the service is the library of
//! the job ([`source`]), under keys that every file system takes ([`layout`]), with a catalog of its own, so that it goes
//! on where it was cut off ([`run`]), and what is gone from a target since comes back ([`gone`]). At the end the papers
//! stand beside the photos and prove them without this program ([`papers`], [`writer`]); [`page`] is the answer of
//! `leave` to keep.
//!
//! Everything is handed in: providers, catalogs, clock, stop, monitor. Nothing is ever removed or changed at the service.

mod flags;
pub mod gone;
pub mod inventory;
pub mod layout;
pub mod leave;
pub mod page;
pub mod papers;
pub mod plan;
pub mod restore;
pub mod run;
pub mod settle;
pub mod source;
mod target;
pub mod weigh;
pub mod writer;
