//! The one HTTP client that every provider shares: reqwest behind core's
//! [`HttpTransport`](safelight_core::http::HttpTransport).
//!
//! Invariant: redirects are answers and never followed, nothing is decompressed, nothing is retried; an
//! exchange that stands still, or drips below a minimum rate, ends with an error. No error names a path, a
//! query or a header, so none can hold a secret.

mod failure;
mod outgoing;
mod transport;
mod watch;

pub use transport::{Limits, ReqwestTransport};
