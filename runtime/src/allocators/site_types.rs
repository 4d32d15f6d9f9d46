//! The types that allocation sites allocate.
//!
//! What was found for a site is kept in its entry, so the next query of one of its blocks loads one word.

use allocs_metadata::{Evidence, Reason, SITE_IS_BUFFER, SITE_RETYPES, SiteRecord};
use core::sync::atomic::Ordering;

use super::calls::look_up;
use super::conditions;
use crate::avma::Avma;
use crate::hooks::SiteDescription;
use crate::index::sites::calls::Call;
use crate::index::sites::{self, DeclaredType};
use crate::index::{SiteEntry, SiteIndex, site};
use crate::modules::{self, Module, dl};
use crate::private_heap;
use crate::types::{self, TypeRef, TypedFile, Uniqtype, make, spell};

/// Bit of `resolved_flags`: the type was looked for, and there is none.
const HAS_NONE: u32 = 1;

/// The type of the blocks of a site.
#[must_use]
#[inline]
pub fn type_of(index: SiteIndex) -> Option<TypeRef> {
    let entry = site(index);
    stored(entry.resolved.load(Ordering::Acquire)).or_else(|| resolve(index, entry))
}

#[cold]
fn resolve(index: SiteIndex, entry: &'static SiteEntry) -> Option<TypeRef> {
    if entry.resolved_flags.load(Ordering::Relaxed) & HAS_NONE != 0 {
        return None;
    }
    match find(entry) {
        Some(ty) => {
            entry.resolved.store(ty.as_ptr().cast(), Ordering::Release);
            Some(ty)
        }
        None => {
            // Without memory now there may be some later, and the unknown site is many sites.
            if index != SiteIndex::UNKNOWN && record_of(entry).is_none() {
                entry.resolved_flags.fetch_or(HAS_NONE, Ordering::Relaxed);
            }
            None
        }
    }
}

/// A declaration counts whatever is reallocated later; then the type of the latest site whose size says it; then that
/// of the first.
fn find(entry: &'static SiteEntry) -> Option<TypeRef> {
    stored(entry.declared()).or_else(|| own_type(decider(entry)))
}

/// The site that says the type of the undeclared blocks of a site: itself or its origin.
fn decider(entry: &'static SiteEntry) -> &'static SiteEntry {
    let origin = site(entry.origin());
    if entry.origin() == SiteIndex::UNKNOWN || retypes(entry) || own_type(origin).is_none() {
        return entry;
    }
    origin
}

/// Whether a site that reallocates gives the type of its blocks, rather than its origin.
pub fn decides(index: SiteIndex) -> bool {
    core::ptr::eq(decider(site(index)), site(index))
}

fn own_type(entry: &SiteEntry) -> Option<TypeRef> {
    if entry.is_string() {
        return make::array(make::char()?, None);
    }
    let (file, record) = record_of(entry)?;
    types::intern(file, record.ty)
}

fn retypes(entry: &SiteEntry) -> bool {
    record_of(entry).is_some_and(|(_, record)| record.flags & SITE_RETYPES != 0)
}

#[allow(unsafe_code)]
fn stored(ty: DeclaredType) -> Option<TypeRef> {
    // SAFETY: entries hold NULL or types that were given out.
    unsafe { TypeRef::from_ptr(ty.cast::<Uniqtype>()) }
}

/// Finds the types of all sites, while the files with their code are still loaded, and looks at all files for
/// [`files_unloaded`].
pub fn before_unload() {
    modules::each(|_| None::<()>);
    for index in sites::all() {
        let _ = (record_of(site(index)), type_of(index));
    }
}

/// Finds the types of the sites whose files are gone: destructors may have allocated at sites that were not known before.
pub fn files_unloaded() {
    for index in sites::all() {
        let entry = site(index);
        let is_known = !entry.record.load(Ordering::Acquire).is_null();
        let call = Avma(entry.return_address().0.wrapping_sub(1));
        if is_known || entry.is_retired() || dl::loaded_at(call).is_some() {
            continue;
        }
        if let Some(module) = modules::last_seen_at(call) {
            let _ = (keep_record(entry, module), type_of(index));
        }
    }
    modules::unloaded();
}

/// Where in the source a site is.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    /// The file, as its compilation named it.
    pub file: &'static [u8],
    /// The line of the call.
    pub line: u32,
    /// The function that it is in.
    pub function: &'static [u8],
}

/// Where in the source a site is, if the metadata of its file says so.
#[must_use]
pub fn source_of(index: SiteIndex) -> Option<Source> {
    let (file, record) = record_of(site(index))?;
    Some(Source { file: file.string(record.file), line: record.line, function: file.string(record.function) })
}

/// What a census prints about a site.
#[must_use]
pub fn describe(index: SiteIndex) -> SiteDescription {
    let entry = site(index);
    let mut description = SiteDescription::UNKNOWN;
    if entry.is_small() {
        description.allocator = b"generic small";
    }
    if let Some(source) = source_of(index) {
        description.file = source.file;
        description.line = source.line;
        description.function = source.function;
    }
    let decider = decider(entry);
    if let Some((_, record)) = record_of(decider) {
        description.evidence = Evidence::from_u8(record.evidence).word().as_bytes();
        description.is_buffer = record.flags & SITE_IS_BUFFER != 0;
    }
    if decider.is_string() {
        description.is_buffer = true;
    }
    if !entry.declared().is_null() {
        description.evidence = b"set";
        description.is_buffer = false;
    }
    description.reason = Reason::None;
    if description.evidence == b"none" {
        (description.reason, description.reason_detail) = why_unknown(decider);
    }
    if let Some(ty) = type_of(index) {
        description.type_name = ty.name().to_bytes();
        description.c_type = spelling(ty).unwrap_or(b"");
    }
    description
}

/// Why the type of an undeclared site is not known, and what more there is to say of that.
fn why_unknown(entry: &SiteEntry) -> (Reason, &'static [u8]) {
    let return_address = entry.return_address();
    if return_address.is_null() {
        return (Reason::NoSite, b"");
    }
    let call = Avma(return_address.0.wrapping_sub(1));
    let module = if entry.is_retired() { None } else { modules::at_without_lock(call) };
    let Some((file, record)) = record_of(entry) else {
        let Some(module) = module else { return (Reason::NoFile, b"") };
        let reason = if module.metadata.is_some() { Reason::NotListed } else { Reason::NoMetadata };
        return (reason, basename(module.path().to_bytes()));
    };
    // A block of a call in a wrapper is one whose caller was not reached.
    let is_refused =
        |svma| file.hop_at(svma).is_some() && !matches!(look_up(return_address), Call::InWrapper(_));
    match module {
        _ if entry.is_too_deep() => (Reason::TooDeep, b""),
        Some(module) if is_refused(module.svma(return_address).0) => (Reason::FrameRule, b""),
        _ => (Reason::from_u8(record.reason), file.string(record.detail)),
    }
}

fn basename(path: &'static [u8]) -> &'static [u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or(path)
}

/// A record together with the metadata that it is part of.
#[derive(Debug)]
struct Found {
    file: &'static TypedFile,
    record: &'static SiteRecord,
}

/// The metadata record of the call. It is kept in the entry, so that it outlives the file.
#[allow(unsafe_code)]
fn record_of(entry: &SiteEntry) -> Option<(&'static TypedFile, &'static SiteRecord)> {
    let known = entry.record.load(Ordering::Acquire).cast::<Found>();
    // SAFETY: only the address of a `Found` that stays is ever stored there.
    if let Some(known) = unsafe { known.as_ref() } {
        return Some((known.file, known.record));
    }
    let return_address = entry.return_address();
    if entry.is_retired() || return_address.is_null() {
        return None;
    }
    // A call may be the last instruction of its file's code. `realloc` asks, too.
    keep_record(entry, modules::at_without_lock(Avma(return_address.0.wrapping_sub(1)))?)
}

/// Finds the record in the file of the call.
fn keep_record(
    entry: &SiteEntry,
    module: &'static Module,
) -> Option<(&'static TypedFile, &'static SiteRecord)> {
    let file = module.metadata?;
    let svma = module.svma(entry.return_address());
    let record = file.site_at(svma.0).filter(|_| conditions::hold(module, file, svma))?;
    let found = private_heap::alloc_value(Found { file, record })?;
    entry.record.store(core::ptr::from_ref(found).cast_mut().cast(), Ordering::Release);
    Some((file, record))
}

/// A type in C's spelling, as text that stays.
fn spelling(ty: TypeRef) -> Option<&'static [u8]> {
    let mut len = 0;
    spell::spell(ty, &mut |part| len += part.len());
    let text = private_heap::alloc_bytes(len)?;
    let mut at = 0;
    spell::spell(ty, &mut |part| {
        if let Some(place) = text.get_mut(at..at + part.len()) {
            place.copy_from_slice(part);
        }
        at += part.len();
    });
    Some(text)
}
