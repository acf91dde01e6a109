//! Placeholder of the interop tests.
