//! Big allocations: what `struct big_allocation` in `pageindex.h` describes and the page index leads to.
//!
//! A malloc block of [`LARGE`](super::LARGE) bytes or more gets a [`record`] when it is allocated, so that a look-up far inside
//! it needs one load from the page index instead of a scan: [`malloc_blocks`]. The query side makes records for what else
//! holds allocations: [`promoted`], found again by [`starts`]. There are 65535 of them ([`pool`]); a block that finds none free stays without, and
//! look-ups scan as far as the longest such block.

pub mod malloc_blocks;
pub mod pool;
pub mod promoted;
pub mod record;
pub mod starts;

pub use malloc_blocks::{
    abandon_malloc_block, divide, insert_malloc_block, is_divided, longest_unrecorded, malloc_block_at,
    malloc_block_of_page, move_malloc_block, promote_malloc_block, remove_malloc_block, set_malloc_allocator,
    set_pool_allocator, small_malloc_block_at,
};
pub use pool::keep_pages_small;
pub use promoted::{demote, promote, resize};
pub use record::{BigAllocation, BigId, Kind};
pub use starts::recorded;
