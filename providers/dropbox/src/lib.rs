//! Dropbox as a destination, by its HTTP API v2.
//!
//! Small items go many in one request, large ones in blocks at once; whatever changes names in the account goes
//! through one clerk, many items in one call, because Dropbox locks the whole account for each of those. What
//! comes back is compared: the content hash of every part with every call, of the whole with every answer.
//!
//! **Why a client of our own** and not the crate `dropbox-sdk` (0.20.3, generated from Dropbox's own
//! specification; looked into and set aside). Its client trait leaves hosts and transport to us, but hides what
//! this provider lives by: of an answer's headers only length and result come through, not `Retry-After`, the
//! request id or `Content-Range`. It repeats calls with an expired token by itself, logs each refusal as an error,
//! and knows no pause shared by all calls. What remains are the types: 23,000 lines for the files alone, of which
//! the two dozen routes used here take some hundred by hand.
//!
//! Where the service falls short, and what is done about it:
//! * **Moves carry no revision.** What is there is looked at right before, many files with one listing.
//! * **Listings tell of removals**, core's pages have no word for it: a listing of changes leaves them out.
//! * **Old revisions stay readable.** Reading asks for what is under the key and compares the revision; only
//!   what no key leads to is asked for by it.

mod account;
mod ahead;
mod api;
mod append;
mod batch;
mod blocks;
mod clerk;
mod courier;
mod dates;
mod desk;
mod discard;
mod factory;
mod facts;
mod finish;
mod hash;
mod hosts;
mod intake;
mod list;
mod literal;
mod meaning;
mod names;
mod pace;
mod provider;
mod put;
mod read;
mod remembered;
mod resume;
mod sessions;
mod sign_in;
mod spelling;
mod step;
mod store;
mod tokens;
mod transfer;
mod trouble;
mod wire;

pub use factory::DropboxFactory;
