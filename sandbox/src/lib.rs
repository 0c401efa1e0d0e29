//! Loopback stand-ins for services: try-out without accounts, and tests.
//!
//! Invariants: a stand-in listens on 127.0.0.1 only, on a port that the system picks; its tasks belong to its
//! value and end with it; its data stays in the folder it was given, so that it survives a restart. Code that
//! talks to a stand-in cannot tell it from the service.

pub mod amazon;
mod direct;
pub mod dropbox;
mod etags;
mod faults;
mod form;
mod journal;
mod loopback;
mod s3;
mod strict;
mod traffic;

pub use amazon::AmazonSandbox;
pub use direct::Direct;
pub use dropbox::DropboxSandbox;
pub use faults::Fault;
pub use loopback::{Answer, AnswerBody, Loopback};
pub use s3::S3Sandbox;
pub use traffic::{Rule, Traffic};
