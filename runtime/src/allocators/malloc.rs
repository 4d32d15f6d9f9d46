//! What a query does with a block of `malloc`.

use crate::index::sites::{self, DeclaredType};
use crate::index::{Block, SiteIndex};
use crate::interpose::note;

/// Declares the type of a live block; NULL takes declarations back. Returns the block's new site.
///
/// The declaration is part of the site, so it costs the block no memory and survives a `realloc` (see
/// [`sites::reallocated`]).
pub fn declare_type(block: &Block, ty: DeclaredType) -> SiteIndex {
    let site = sites::declared(block.site, ty);
    note::change_site(block, site);
    site
}
