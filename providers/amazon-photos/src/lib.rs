//! Amazon Photos as a destination, by the calls of its web app.
//!
//! There is no interface for programs: what is spoken here is what people found out who wrote clients for it. It is
//! unofficial and best effort, it can stop working on any day, and it must never be the only copy. So nothing that
//! the service says is trusted, and nothing that it might not say is needed.
//!
//! What is special about it, and what is done about it:
//! * **Equal bytes are kept once** in the whole account. An item whose bytes are there already is stored by a note;
//!   a node goes to the trash only with the last key that stands under it.
//! * **No snapshots, lag, a window of 9,999.** Folders are walked through with overlapping pages, cut by date, and
//!   counted; what was just stored is asked for by its id.
//! * **Uploads that fail may have arrived.** They are looked for by content and by name before anything is sent again.
//! * **Cookies die within days.** The first sign of that ends all calls; new cookies open the destination anew.
//! * **Dates are left to the bytes.** The service reads them from the picture as camera time; the modification time
//!   of a file says less, so it is not sent, and none is kept.

mod about;
mod account;
mod albums;
mod answer;
mod api;
mod cookies;
mod country;
mod extras;
mod factory;
mod films;
mod filter;
mod folders;
mod fresh;
mod goods;
mod hosts;
mod ledger;
mod list;
mod meaning;
mod names;
mod node;
mod pace;
mod provider;
mod put;
mod read;
mod remove;
mod replace;
mod session;
mod sign_in;
mod store;
mod trash;
mod trashed;
mod trouble;
mod upload;
mod walk;

pub use factory::AmazonPhotosFactory;
