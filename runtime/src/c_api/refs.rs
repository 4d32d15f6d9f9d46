//! The typed pointers in an allocation, and what they reach.
//!
//! # Safety
//! C programs call these. Memory is read only inside allocations that a query has just found.
#![allow(unsafe_code)]

use core::ffi::{c_int, c_void};
use core::ops::ControlFlow;

use allocs_metadata::{Kind, MEMBER_MAY_BE_INVALID};

use crate::avma::Avma;
use crate::query::{Place, place_of};
use crate::types::scratch::{Scratch, WordSet};
use crate::types::uniqtype::WORD_NOT_SIMULTANEOUS;
use crate::types::{TypeRef, Uniqtype};
use crate::unwind::Caller;
use crate::unwind::entry::{entry, entry_with_six};

/// Deepest nesting of subobjects that is followed.
const MAX_DEPTH: u32 = 64;

/// Calls `f` with each pointer slot of an object of this type, in `len` bytes from `base` on: the slot and the pointer's
/// type. Members that may not be there (of a union, in a register) are left out.
fn each_slot<B>(
    ty: TypeRef,
    base: Avma,
    len: usize,
    f: &mut impl FnMut(Avma, TypeRef) -> ControlFlow<B>,
) -> ControlFlow<B> {
    // No object has more subobjects than this, unless its type contains itself, as only broken metadata says.
    let steps = len.saturating_mul(4).saturating_add(1000);
    Slots { steps, f }.visit(ty, base, len, 0)
}

struct Slots<'a, F> {
    steps: usize,
    f: &'a mut F,
}

impl<B, F: FnMut(Avma, TypeRef) -> ControlFlow<B>> Slots<'_, F> {
    fn visit(&mut self, ty: TypeRef, base: Avma, len: usize, depth: u32) -> ControlFlow<B> {
        if depth > MAX_DEPTH || self.steps == 0 {
            return ControlFlow::Continue(());
        }
        self.steps -= 1;
        match ty.kind() {
            Kind::Address if len >= 8 => (self.f)(base, ty),
            Kind::Array => {
                let Some(element) = ty.related(0) else { return ControlFlow::Continue(()) };
                let size = element.size().unwrap_or(0);
                if size == 0 || !has_slots(element, &mut { MOST_TYPES }) {
                    return ControlFlow::Continue(());
                }
                let count = ty.array_length().map_or(usize::MAX, |n| n as usize).min(len / size);
                (0..count).try_for_each(|index| {
                    self.visit(element, Avma(base.0.wrapping_add(index * size)), size, depth + 1)
                })
            }
            Kind::Composite if ty.word() & WORD_NOT_SIMULTANEOUS == 0 => (0..ty.related_count())
                .try_for_each(|index| match ty.member(index) {
                    Some(member) if ty.member_bits(index) & MEMBER_MAY_BE_INVALID == 0 => {
                        let rest = len.saturating_sub(member.offset);
                        let at = Avma(base.0.wrapping_add(member.offset));
                        self.visit(member.ty, at, member.ty.size().unwrap_or(rest).min(rest), depth + 1)
                    }
                    _ => ControlFlow::Continue(()),
                }),
            _ => ControlFlow::Continue(()),
        }
    }
}

/// Most types that are looked through for a pointer.
const MOST_TYPES: u32 = 1000;

/// Whether objects of this type have pointers: keeps a walk from looking at each byte of a buffer. Where that takes too
/// long to say, they may have.
fn has_slots(ty: TypeRef, steps: &mut u32) -> bool {
    if *steps == 0 {
        return true;
    }
    *steps -= 1;
    match ty.kind() {
        Kind::Address => true,
        Kind::Array => ty.related(0).is_some_and(|element| has_slots(element, steps)),
        Kind::Composite => (0..ty.related_count())
            .any(|index| ty.member(index).is_some_and(|member| has_slots(member.ty, steps))),
        _ => false,
    }
}

fn pointee_of(pointer: TypeRef) -> *mut Uniqtype {
    pointer.related(0).map_or(core::ptr::null_mut(), TypeRef::as_ptr)
}

type RefCallback = unsafe extern "C" fn(*mut *mut c_void, *mut Uniqtype, *mut c_void) -> c_int;

entry!(alloc_walk_refs, __liballocs_alloc_walk_refs => walk_refs, "rcx", "r8");

unsafe extern "C" fn walk_refs(
    obj: Avma,
    callback: Option<RefCallback>,
    argument: *mut c_void,
    return_slot: Avma,
    rbp: Avma,
) -> c_int {
    let place = place_of(obj, Caller { return_slot, rbp });
    let (Ok(ty), Some(callback)) = (place.ty(), callback) else { return 0 };
    let walked = each_slot(ty, place.base(), place.size(), &mut |slot, pointer| {
        // SAFETY: the callback has this signature.
        match unsafe { callback(slot.pointer(), pointee_of(pointer), argument) } {
            0 => ControlFlow::Continue(()),
            result => ControlFlow::Break(result),
        }
    });
    match walked {
        ControlFlow::Continue(()) => 0,
        ControlFlow::Break(result) => result,
    }
}

type FollowPointer = unsafe extern "C" fn(*mut Avma, *mut *mut Uniqtype, *mut c_void);
type OnBlacken = unsafe extern "C" fn(*mut c_void, *mut Uniqtype, *mut c_void);

entry!(__uniqtype_default_follow_ptr => default_follow_ptr, "rcx", "r8");
entry_with_six!(__uniqtype_walk_bfs_from_object => walk_bfs);

/// Leaves typed pointers as they are; a pointer to `void` becomes one to the start of its allocation, with that one's type.
unsafe extern "C" fn default_follow_ptr(
    obj: *mut Avma,
    ty: *mut *mut Uniqtype,
    _argument: *mut c_void,
    return_slot: Avma,
    rbp: Avma,
) {
    // SAFETY: both are the caller's; the type is NULL or was given out.
    let (address, slot_type) = unsafe { (*obj, TypeRef::from_ptr(*ty)) };
    if slot_type.is_some_and(|ty| ty.kind() != Kind::Void) {
        return;
    }
    let place = place_of(address, Caller { return_slot, rbp });
    if let Ok(found) = place.precise_ty() {
        // SAFETY: as above.
        unsafe {
            *obj = place.base();
            *ty = found.as_ptr();
        }
    }
}

#[allow(clippy::too_many_arguments)]
unsafe extern "C" fn walk_bfs(
    obj: Avma,
    ty: *mut Uniqtype,
    follow: Option<FollowPointer>,
    follow_argument: *mut c_void,
    blacken: Option<OnBlacken>,
    blacken_argument: *mut c_void,
    return_slot: Avma,
    rbp: Avma,
) {
    let caller = Caller { return_slot, rbp };
    // SAFETY: the type is NULL or was given out.
    let Some(ty) = (unsafe { TypeRef::from_ptr(ty) }) else { return };
    let mut queue = Scratch::default();
    let mut seen = WordSet::default();
    let mut reach = |queue: &mut Scratch<(Avma, TypeRef)>, target: Avma, ty: TypeRef| {
        if seen.insert(target.0)? { queue.push((target, ty)) } else { Some(()) }
    };
    let mut out_of_memory = reach(&mut queue, obj, ty).is_none();
    let mut next = 0;
    while let Some(&(address, ty)) = queue.as_slice().get(next) {
        next += 1;
        let place = place_of(address, caller);
        let rest = place.size().saturating_sub(address.0.wrapping_sub(place.base().0));
        let len = ty.size().unwrap_or(rest).min(rest);
        let readable = !matches!(place, Place::Nowhere | Place::Mapping(_));
        let len = if readable { len } else { 0 };
        let _: ControlFlow<()> = each_slot(ty, address, len, &mut |slot, pointer| {
            // SAFETY: the slot lies inside an allocation that was just found; it need not be aligned.
            let mut target = unsafe { slot.pointer::<Avma>().read_unaligned() };
            let mut target_type = pointee_of(pointer);
            if let Some(follow) = follow {
                // SAFETY: the callback has this signature and may change both.
                unsafe { follow(&raw mut target, &raw mut target_type, follow_argument) };
            }
            // SAFETY: a client gives types that it got from us.
            if let Some(target_type) = unsafe { TypeRef::from_ptr(target_type) }
                && !target.is_null()
            {
                out_of_memory |= reach(&mut queue, target, target_type).is_none();
            }
            if out_of_memory { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if let Some(blacken) = blacken {
            // SAFETY: the callback has this signature.
            unsafe { blacken(address.pointer(), ty.as_ptr(), blacken_argument) };
        }
    }
}
