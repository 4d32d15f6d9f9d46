//! The run-time library.
