//! The one HTTP client that every provider shares.
