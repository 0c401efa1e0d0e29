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
//! * **Uploads orphaned by a crash**: OpenDAL cannot list them. At S3 we do, and the first `put` of a run aborts
//!   those below our root that are older than three days; it removes temporary objects of that age too. Where a
//!   service does not let itself be asked (swift, b2), or answers only for one exact key (MinIO, which clears up
//!   by itself), a lifecycle rule of the bucket has to do it. Uploads that failed or were dropped while the
//!   program lives are aborted by the next `put` or `check`.
//! * **Names that OpenDAL tidies up** (`a//b`, `/a`, blanks at the ends, `a/` with bytes in it): where everything is to
//!   be taken out, S3 is listed and read by requests of our own. Elsewhere what OpenDAL cannot ask for is told as unseen.
//! * **Own digests**: modification time and SHA-256 are kept as user metadata where the service has it. They are
//!   our claim, not the service's, so no entry reports them as digests. Metadata goes in front of the bytes: an
//!   item that is streamed (above 8 MiB) carries its SHA-256 only if that was known before it was read. Its proof
//!   does not depend on that.

mod call;
mod called;
mod check;
mod deadline;
mod errors;
mod exact;
mod factory;
mod gate;
mod keys;
mod leftovers;
mod list;
mod literal;
mod multipart;
mod provider;
mod put;
mod read;
mod relocate;
mod services;
mod signed;
mod store;
mod sweep;
mod tasks;
mod transport;
mod untidy;
mod upload;

pub use factory::{OpenDalFactory, S3Factory};
