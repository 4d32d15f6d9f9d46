//! The corpus: real C programs, built with allocscc and run under the library.
