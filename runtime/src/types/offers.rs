//! Objects that programs have for types which are not made yet. A type is made in its object, if there is one.
//!
//! # Safety
//! Offers are never freed. Whoever takes an object has it alone, because the word that holds its room is exchanged for 0.
#![allow(unsafe_code)]

use core::ptr::NonNull;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use allocs_metadata::digest::Digest;

use crate::private_heap;

struct Offer {
    digest: Digest,
    place: NonNull<u8>,
    /// Bytes that it has; 0 once it is taken.
    room: AtomicUsize,
    next: *const Offer,
}

/// All offers, the last one first. Most programs have none.
static OFFERS: AtomicPtr<Offer> = AtomicPtr::new(core::ptr::null_mut());

/// Offers an object for the type of a digest. Without memory the offer is lost, and the type is made elsewhere.
///
/// # Safety
/// `place` is aligned to 8 bytes, has `room` bytes that stay for ever, and nothing but this type will be written there.
pub unsafe fn offer(digest: Digest, place: NonNull<u8>, room: usize) {
    let mut head = OFFERS.load(Ordering::Acquire);
    loop {
        let Some(offer) =
            private_heap::alloc_value(Offer { digest, place, room: AtomicUsize::new(room), next: head })
        else {
            return;
        };
        match OFFERS.compare_exchange(
            head,
            core::ptr::from_ref(offer).cast_mut(),
            Ordering::AcqRel,
            Ordering::Acquire,
        ) {
            Ok(_) => return,
            Err(now) => head = now,
        }
    }
}

/// The object that was offered for a type of this many bytes.
#[must_use]
pub fn take(digest: Digest, size: usize) -> Option<NonNull<u8>> {
    let mut offer: *const Offer = OFFERS.load(Ordering::Acquire);
    // SAFETY: offers are never freed.
    while let Some(this) = unsafe { offer.as_ref() } {
        if this.digest == digest && this.room.load(Ordering::Relaxed) >= size {
            let room = this.room.swap(0, Ordering::AcqRel);
            if room >= size {
                return Some(this.place);
            }
        }
        offer = this.next;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_is_taken_once_and_only_if_it_has_room() {
        let mut words = [0u64; 4];
        let place = NonNull::from(&mut words).cast::<u8>();
        let digest = [0x0ffe, 1];
        // SAFETY: nobody makes a type of this digest.
        unsafe { offer(digest, place, 32) };
        assert_eq!(take(digest, 33), None);
        assert_eq!(take([0x0ffe, 2], 32), None);
        assert_eq!(take(digest, 32), Some(place));
        assert_eq!(take(digest, 32), None);
    }
}
