//! Conformance suite, in-memory, faulty and slow providers, simulated clock, library generator.
