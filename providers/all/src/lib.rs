//! The one list of built-in providers.
