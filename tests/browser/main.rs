//! Placeholder of the browser tests.
