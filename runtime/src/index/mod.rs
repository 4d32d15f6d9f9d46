//! The index of heap blocks: which block holds an address, how large it is, and which site allocated it.
//!
//! Glossary
//! - *block*: what one allocation call returned; it covers [base, base + max(size, 1)).
//! - *region*: 64 MiB of address space, aligned; has a shadow once a block was seen in it ([`regions`]).
//! - *slot*: four shadow bytes for sixteen bytes of heap. The slot of a block's base is its *mark*: bit 31 and the
//!   [`SiteIndex`]; the slot after it holds the size ([`shadow`]).
//! - *site*: an entry of the table of call sites that allocate ([`sites`]).
//! - *object*: what a pool gave, or a `malloc` of the program's own; it has a shadow apart ([`pools`]).
//! - *big block*: one of [`LARGE`] bytes or more; it has a record, and the *page index* leads to it ([`big`], [`pages`]).
//!
//! Writers are the interposed functions. They take no lock: a block belongs to the thread that allocates or frees it, so
//! no two of them write the same slot at once. Readers may run at any time, in any thread and signal handler; about a
//! block that is being freed meanwhile they answer as if before or after.

pub mod big;
pub mod pages;
pub mod pools;
pub mod regions;
pub mod shadow;
pub mod sites;
#[cfg(test)]
mod tests;

use crate::avma::Avma;
use crate::sys::memory::PAGE_SIZE;
use big::BigId;
use core::ops::ControlFlow;
use pages::PageNumber;
use regions::Region;
use shadow::{Mark, Size};
pub use sites::{SiteEntry, SiteIndex, site};

/// Size from which on a block is big. Also the largest distance that a look-up scans without a record to lead it.
pub const LARGE: usize = 64 * 1024;

/// A live heap block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Block {
    /// What the allocation call returned.
    pub base: Avma,
    /// The bytes that the program asked for.
    pub size: usize,
    /// Who allocated it.
    pub site: SiteIndex,
}

impl Block {
    /// Whether `p` points into the block; a block of size 0 still has its base.
    #[must_use]
    pub fn holds(&self, p: Avma) -> bool {
        p.is_in(self.base, self.size.max(1))
    }
}

/// What the index can say about blocks around an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Coverage {
    /// No block was ever seen in this region.
    NeverUsed,
    /// Every block is known.
    Indexed,
    /// There was no address space for the shadow: blocks here are not known.
    Unindexed,
}

/// How far the index covers the region of `p`.
#[must_use]
pub fn coverage(p: Avma) -> Coverage {
    match regions::find(p) {
        Some(_) => Coverage::Indexed,
        None if regions::has_failed(p) => Coverage::Unindexed,
        None => Coverage::NeverUsed,
    }
}

/// The live block that holds `p`, if any.
#[must_use]
#[inline]
pub fn block_at(p: Avma) -> Option<Block> {
    let page = PageNumber::of_mappable(p)?;
    look_in_page(p).unwrap_or_else(|| block_that_reaches(page)).filter(|block| block.holds(p))
}

/// The live block that holds `p`, if it starts in the page of `p` or is big.
///
/// That is nearly every block, and the answer costs no scan of other pages. For what is not found, [`block_at`] is to be
/// asked when nothing else can hold `p`.
#[must_use]
#[inline]
pub fn block_near(p: Avma) -> Option<Block> {
    let page = PageNumber::of_mappable(p)?;
    look_in_page(p).unwrap_or_else(|| big_block_of_page(page)).filter(|block| block.holds(p))
}

/// The last block that starts in the page of `p` at or before `p`. The outer `None` says that none does.
#[inline(always)]
fn look_in_page(p: Avma) -> Option<Option<Block>> {
    let region = regions::find(p)?;
    let base = shadow::last_mark_in_page(region, p)?;
    Some(marked_block(region, base))
}

/// The live block whose base is `base`, if any.
#[must_use]
pub fn block_at_base(base: Avma) -> Option<Block> {
    if PageNumber::of_mappable(base).is_none() || !base.0.is_multiple_of(shadow::GRANULE) {
        return None;
    }
    marked_block(regions::find(base)?, base)
}

/// The block at `base`, an address of `region`, if it is marked.
#[inline]
fn marked_block(region: Region, base: Avma) -> Option<Block> {
    let mark = shadow::mark(region, base)?;
    let size = shadow::size(region, base);
    let size = size.exact().unwrap_or_else(|| recorded_size(base).unwrap_or(size.at_least()));
    Some(Block { base, size, site: mark.site() })
}

#[cold]
fn recorded_size(base: Avma) -> Option<usize> {
    Some(big::malloc_block_at(base)?.record().size())
}

/// Calls `f` with every live block whose base lies in [`begin`, `end`), in address order, until it breaks.
///
/// Blocks that other threads allocate or free meanwhile may or may not be seen.
pub fn for_each_block<B>(
    begin: Avma,
    end: Avma,
    mut f: impl FnMut(Block) -> ControlFlow<B>,
) -> ControlFlow<B> {
    regions::for_each_in(begin, end, |region, from, to| {
        shadow::for_each_mark(region, from, to, |base| match block_at_base(base) {
            Some(block) => f(block),
            None => ControlFlow::Continue(()),
        })
    })
}

/// Enters a new block. One that starts off a 16-byte boundary, or lies where there is no room for a shadow, stays unknown.
#[inline(always)]
pub fn insert(block: &Block) {
    if !block.base.0.is_multiple_of(shadow::GRANULE) {
        return;
    }
    if block.size >= LARGE && regions::find_or_create(block.base).is_some() {
        big::insert_malloc_block(block.base, block.size);
    }
    set_slots(block);
}

/// Takes out the block at `base` and returns it; `None` if none is known there.
///
/// To be called before the memory is given back, so that the entries of the next block there are not harmed.
pub fn remove(base: Avma) -> Option<Block> {
    let Suspended { block, record } = suspend(base)?;
    if let Some(record) = record {
        big::remove_malloc_block(record);
    }
    Some(block)
}

/// A block that is out of the index for the time of a `realloc`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub struct Suspended {
    /// What it was.
    pub block: Block,
    record: Option<BigId>,
}

/// Takes out the block at `base` while `realloc` decides on it. The record of a big block stays, for [`resume`] to reuse.
#[inline(always)]
pub fn suspend(base: Avma) -> Option<Suspended> {
    if base.is_null() || !base.0.is_multiple_of(shadow::GRANULE) {
        return None;
    }
    let region = regions::find(base)?;
    let mark = shadow::mark(region, base)?;
    let size = shadow::size(region, base);
    let suspended = if size.may_have_record() {
        let block = block_at_base(base)?;
        if is_divided(&block) {
            pools::forget(base, Avma(base.0.saturating_add(block.size)));
        }
        Suspended { block, record: record_at(base) }
    } else {
        Suspended { block: Block { base, size: size.at_least(), site: mark.site() }, record: None }
    };
    shadow::clear_mark(region, base);
    Some(suspended)
}

/// Ends a [`suspend`]: the block became `new`, or was freed, or is as it was.
#[inline(always)]
pub fn resume(suspended: Suspended, new: Option<Block>) {
    match (suspended.record, new) {
        (None, Some(new)) => insert(&new),
        (None, None) => {}
        (Some(_), Some(same)) if same == suspended.block => set_site(same.base, same.site),
        (Some(record), new) => resume_big(record, new),
    }
}

#[cold]
fn resume_big(record: BigId, new: Option<Block>) {
    match new {
        Some(new) if new.size >= LARGE => {
            big::move_malloc_block(record, &new);
            set_slots(&new);
        }
        new => {
            big::abandon_malloc_block(record);
            if let Some(new) = new {
                insert(&new);
            }
        }
    }
}

/// The record of the block at `base`, if it has one.
#[must_use]
pub fn record_at(base: Avma) -> Option<BigId> {
    let found = big::malloc_block_at(base);
    if found.is_none() && shadow::size(regions::find(base)?, base).is_recorded() {
        return big::small_malloc_block_at(base);
    }
    found
}

/// The record of a live block, made if it has none. The block may be small: its end will be noticed all the same.
#[must_use]
pub fn promote_block(block: &Block) -> Option<BigId> {
    if let Some(id) = record_at(block.base) {
        return Some(id);
    }
    let region = regions::find(block.base)?;
    let size = shadow::size(region, block.base);
    let id = big::promote_malloc_block(block.base, block.size)?;
    if block.size < LARGE && !shadow::exchange_size(region, block.base, size, size.recorded()) {
        // Another thread promoted it first.
        big::abandon_malloc_block(id);
        return record_at(block.base);
    }
    Some(id)
}

/// Notes that a pool divides a live block, so that its end will be that of the pool's objects.
pub fn divide(block: &Block) {
    if block.size >= LARGE {
        if let Some(id) = promote_block(block)
            && big::divide(id)
        {
            pools::forget(block.base, Avma(block.base.0.saturating_add(block.size)));
        }
        return;
    }
    let Some(region) = regions::find(block.base) else { return };
    let size = shadow::size(region, block.base);
    if !size.is_divided() && shadow::exchange_size(region, block.base, size, size.divided()) {
        pools::forget(block.base, Avma(block.base.0 + block.size));
    }
}

/// Whether a pool divides a live block.
#[must_use]
pub fn is_divided(block: &Block) -> bool {
    if !pools::exist() {
        return false;
    }
    match regions::find(block.base) {
        Some(region) if block.size < LARGE => shadow::size(region, block.base).is_divided(),
        _ => big::malloc_block_at(block.base).is_some_and(big::is_divided),
    }
}

/// Changes the site of the block at `base`.
pub fn set_site(base: Avma, site: SiteIndex) {
    if let Some(region) = regions::find(base) {
        shadow::set_mark(region, base, Mark::of(site));
    }
}

fn set_slots(block: &Block) {
    if let Some(region) = regions::find_or_create(block.base) {
        shadow::set_size(region, block.base, Size::of(block.size));
        shadow::set_mark(region, block.base, Mark::of(block.site));
    }
}

/// The block that may hold the first bytes of `page` and starts before it: a big one, or the last one before.
#[inline(never)]
fn block_that_reaches(page: PageNumber) -> Option<Block> {
    big_block_of_page(page).or_else(|| last_block_before(page))
}

#[inline(never)]
fn big_block_of_page(page: PageNumber) -> Option<Block> {
    let record = big::malloc_block_of_page(page)?.record();
    // While `realloc` moves a block its record stays, and other blocks may be in its memory already.
    block_at_base(record.begin()).filter(|block| block.size == record.size())
}

/// The last block that starts in the pages before `page`, as far back as one without a record can reach.
fn last_block_before(page: PageNumber) -> Option<Block> {
    let reach = LARGE.max(big::longest_unrecorded());
    // Where no heap is or was, as in the code and data of files, there is nothing to look through.
    let first = Avma(page.start().0.saturating_sub(reach));
    if reach < regions::REGION_SIZE && regions::find(page.start()).is_none() && regions::find(first).is_none()
    {
        return None;
    }
    for distance in 1..=reach.div_ceil(PAGE_SIZE) {
        let before = page.checked_sub(distance)?;
        let last_byte = before.last_byte();
        if let Some(region) = regions::find(last_byte)
            && let Some(base) = shadow::last_mark_in_page(region, last_byte)
        {
            return marked_block(region, base);
        }
        // A big block that reaches this far and not to `page` lies between `page` and any block before it.
        if big_block_of_page(before).is_some() {
            return None;
        }
    }
    None
}
