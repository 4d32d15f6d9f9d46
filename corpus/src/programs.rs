//! Directive-driven small C programs.
