//! A folder or an external disk as a destination, and the library itself.
//!
//! Everything is done relative to one descriptor of the root folder, opened when it is first needed and found.
//! If the disk is pulled or the path comes to mean another folder, work goes on through that descriptor or
//! fails; the path is never made again. No symbolic link below the root is followed.
//!
//! What names a disk can hold is told by its kind of file system when it is opened, which changes nothing, and
//! tried out before the first file is written. What trial finds is noted on the disk itself; it can only make
//! the rules stricter. Should it find that names are one which were declared to be two, nothing is stored in
//! that run: the next one opens the disk with the note and declares what holds.
//!
//! What is stored becomes visible only after its bytes are on the medium: it is written under a temporary name
//! in the reserved folder, made durable together with whatever else is waiting, read back, and only then
//! renamed into its place.
//!
//! Linux and macOS are supported; Windows is not yet, and there this crate is empty.
//!
//! Where to look: [`Disk`] is the provider. `place` and `volume` find the root, `root` opens what is below it,
//! `walk` lists, `read` reads, `workshop`, `temp`, `write` and `commit` store, `remove` and `relocate` do
//! what their names say. `filesystem` and `names` know what the kinds of file system can hold, `trial` finds
//! out and `findings` keeps the note of it.

#![cfg(unix)]

mod commit;
mod crew;
mod disk;
mod factory;
mod facts;
mod fault;
mod feed;
mod filesystem;
mod findings;
mod names;
mod options;
mod place;
mod read;
mod relocate;
mod remove;
mod root;
mod space;
mod sync;
mod temp;
mod tree;
mod trial;
mod volume;
mod walk;
mod workshop;
mod write;

pub use disk::Disk;
pub use factory::DiskFactory;
pub use options::{Options, Reserve};
