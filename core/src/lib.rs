//! The words, the provider trait, the pipeline and the safety rules of Safelight; no I/O of its own.
