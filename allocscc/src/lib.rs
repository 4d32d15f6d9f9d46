//! What `allocscc` and `allocs` are made of.
