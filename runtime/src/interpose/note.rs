//! What happens to a block that an allocation function returned, beyond the fast path of `malloc`.

use crate::avma::Avma;
use crate::caller::Caller;
use crate::census;
#[cfg(not(test))]
use crate::index::pools::{self, Object};
use crate::index::sites::{self, Key, recent};
use crate::index::{self, Block, SiteIndex};
#[cfg(not(test))]
use crate::interpose::padded::is_off_granules;
use crate::interpose::{bootstrap, call_site};

#[cfg(test)]
fn is_off_granules() -> bool {
    false
}

/// Enters a fresh block. NULL and pieces of the bootstrap area are none.
pub fn fresh(base: Avma, size: usize, caller: Caller) {
    if !base.is_null() && !bootstrap::owns(base) {
        entered(&Block { base, size, site: fresh_site(caller) });
    }
}

/// Enters a block whose site is known already.
pub fn entered(block: &Block) {
    index::insert(block);
    if census::is_on() {
        index::site(block.site).count(block.size);
    }
}

/// Changes the site of a live block, in the census too.
pub fn change_site(block: &Block, site: SiteIndex) {
    if site == block.site {
        return;
    }
    index::set_site(block.base, site);
    if census::is_on() {
        index::site(block.site).discount(block.size);
        index::site(site).count(block.size);
    }
}

/// The same of an object of a `malloc` of the program's own.
#[cfg(not(test))]
pub fn change_site_of_object(object: &Object, site: SiteIndex) {
    pools::set_site(object, site);
    if census::is_on() {
        index::site(object.site).discount(object.size);
        index::site(site).count(object.size);
    }
}

/// The site of a fresh block.
///
/// While a census counts, or if blocks may start off a granule, no site is remembered for the fast path, so that every
/// allocation comes by here.
pub fn fresh_site(caller: Caller) -> SiteIndex {
    let call_site::CallSite { return_address, is_settled, is_too_deep } = call_site::find(caller);
    if let Some(site) = recent::find(return_address).filter(|_| is_settled) {
        return site;
    }
    let site = sites::find_or_insert(Key::plain(return_address));
    if is_too_deep {
        index::site(site).note_too_deep();
    }
    if is_settled && !census::is_on() && !is_off_granules() {
        recent::remember(return_address, site);
    }
    site
}
