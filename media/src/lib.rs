//! Tells from its bytes what an item is and when it was taken, and what ties it to others.
//!
//! Nothing here reads a file: an [`Inspection`] says which bytes it would like to see, and core reads them through
//! the provider of the library. Whatever the bytes are, an inspection ends, within 2 MiB, without panicking; what
//! is wrong with a file is a [`Flaw`](safelight_core::traits::Flaw), not an error.
//!
//! # The class
//!
//! 1. No bytes, or only zeros: other, with a finding.
//! 2. A format is recognised: its class, whatever the name says. JPEG under `.mov` is a photo, a web page under
//!    `.jpg` is other. Three formats need a second look:
//!    * Plain TIFF is told apart by the tag of DNG, then by the ending if it is one of a raw format in TIFF, then by
//!      sensor data inside; else it is a photo.
//!    * A film whose tracks were all seen and hold no picture is other: it is sound.
//!    * A preview under its usual ending (THM, LRV) is a sidecar.
//! 3. No format is recognised: other, whatever the name says. What is neither recognised nor common can be given a
//!    class by its ending in the config; such a setting of the user stands above everything here.
//!
//! `mismatch` is set if the ending is one of those that core knows and files of that format do not usually go by it,
//! or if no format was recognised under such an ending.

mod atoms;
mod contents;
mod date;
mod findings;
mod format;
mod inspection;
mod sniff;
mod tiff;
mod view;

pub use format::Format;
pub use inspection::{Inspection, Media};
