//! OpenDAL services as destinations: S3 and compatibles first. The only crate that knows OpenDAL.
//!
//! OpenDAL signs, speaks the protocols and parses the answers. What a backup needs beyond that stands here:
//! reversible names, create-only and replace-exactly, proof by checksum, part sizes up to 5 TB, clean-up of
//! unfinished uploads, pauses that the service asks for, deadlines by size, and errors told from status and
//! code. OpenDAL's own retries and timeouts stay off.
//!
//! Where services fall short, and what is done about it:
//! * **No conditional writes** (WebDAV and others): what is there is looked at first. Somebody else who writes
//!   the same key in that very moment may be overwritten.
//! * **A `PUT` that is visible while it arrives** (WebDAV): the bytes go to `.safelight/tmp/`, are read back there and moved.
//! * **Uploads orphaned by a crash**: OpenDAL cannot list them. A lifecycle rule of the bucket that aborts
//!   incomplete uploads after some days removes them; uploads that failed or were dropped while the program
//!   lives are aborted by the next `put` or `check`.
//! * **Own digests**: SHA-256 and modification time are kept as user metadata where the service has it. They
//!   are our claim, not the service's, so no entry reports them as digests.

mod call;
mod check;
mod deadline;
mod errors;
mod factory;
mod gate;
mod keys;
mod leftovers;
mod list;
mod provider;
mod put;
mod read;
mod relocate;
mod services;
mod store;
mod tasks;
mod transport;
mod upload;

pub use factory::{OpenDalFactory, S3Factory};
