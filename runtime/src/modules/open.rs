//! Opens the metadata of a loaded file.
//!
//! The path that the dynamic linker states may lead to another file by now, so the build-id that the metadata states must
//! be the one in memory.
//!
//! # Safety
//! Of a loaded file we read the first page, which holds its headers, and the notes that these place in its
//! segments; all of it is mapped and constant while the file is loaded. A mapping of metadata stays for ever.
#![allow(unsafe_code)]

use allocs_metadata::{Header, Metadata, SECTION_NAME};
use core::ffi::{CStr, c_char};
use core::ops::ControlFlow;
use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use super::elf::{self, loaded};
use super::{Module, Svma, dl};
use crate::allocators::auxv;
use crate::allocators::mmap::named_at;
use crate::avma::Avma;
use crate::env::{self, Variable};
use crate::log::{Level, Path, log};
use crate::private_heap;
use crate::sys::file::{Fd, readlink};
use crate::sys::memory::{self, PAGE_SIZE};
use crate::sys::process;
use crate::types::TypedFile;
use crate::types::scratch::Scratch;

/// Longest path that we open.
const PATH_MAX: usize = 1024;

/// Looks at a loaded file; `None` without memory. Apart from [`super::at`], so that the frequent case needs little stack.
#[cold]
#[inline(never)]
pub(super) fn open(file: &dl::Loaded, next: *const Module, generation: u64) -> Option<&'static Module> {
    // SAFETY: the file was just found to be loaded.
    let (path, id, page) = unsafe { (file.path(), build_id(file), first_page(file)) };
    let hdr = file.eh_frame_hdr.0.wrapping_sub(file.bias) as u64;
    let unwind_segment = segment_with(page, hdr)
        .map(|s| (Avma((s.svma as usize).wrapping_add(file.bias)), s.file_size as usize));
    // A plug-in that comes and goes, each time elsewhere, takes no more memory for its names and types each time.
    let before = super::same_file(path, id);
    let metadata = || private_heap::alloc_value(TypedFile::new(metadata_of(file, path, id)?));
    private_heap::alloc_value(Module {
        start: file.start,
        end: file.end,
        bias: file.bias,
        eh_frame_hdr: file.eh_frame_hdr,
        unwind_segment,
        loaded_from: before.map_or_else(|| keep(path), |before| before.loaded_from),
        build_id: before
            .map_or_else(|| private_heap::alloc_slice(id).unwrap_or(&[]), |before| before.build_id),
        metadata: before.and_then(|before| before.metadata).or_else(metadata),
        seen: AtomicU64::new(generation),
        next,
    })
}

/// The section of a loaded file that holds an address: start and size in memory. The file is read for it, so it is the last
/// thing to ask; a file that was replaced may name a section that is not there, but none beyond the segment.
#[must_use]
pub fn section_with(module: &Module, p: Avma) -> Option<(Avma, usize)> {
    let path = if module.loaded_from.is_empty() { c"/proc/self/exe" } else { module.loaded_from };
    let fd = Fd::open(path).ok()?;
    let section = elf::section_at(&fd, module.svma(p).0)?;
    let (start, size) = (module.avma(Svma(section.svma)), usize::try_from(section.size).ok()?);
    let (segment, segment_size) = loaded_segment(module, p)?;
    let inside = start >= segment && start.checked_add(size)? <= segment.checked_add(segment_size)?;
    inside.then_some((start, size))
}

#[inline(never)]
fn metadata_of(file: &dl::Loaded, path: &CStr, id: &[u8]) -> Option<Metadata<'static>> {
    // SAFETY: the file was just found to be loaded.
    let header = unsafe { first_page(file) }.first_chunk()?;
    let program = if path.is_empty() { opened_program(header) } else { None };
    let found = match (program, path.to_bytes()) {
        (Some(fd), _) => in_file(&fd, header, c"/proc/self/exe", id),
        (None, b"linux-vdso.so.1") => None,
        (None, [b'/', ..]) => Fd::open(path).ok().and_then(|fd| in_file(&fd, header, path, id)),
        // The dynamic linker's name may be relative to a directory that was left meanwhile, but the kernel knows one.
        (None, _) => in_mapped_file(file, header, id),
    };
    found.or_else(|| separate(id))
}

/// The program's file: the one of its name, unless that is not the one in memory, or of the kernel's link, which costs
/// more to follow; that is not the program either under an emulator.
#[inline(never)]
fn opened_program(header: &elf::FileHeader) -> Option<Fd> {
    let opened = |path: &CStr| {
        let fd = Fd::open(path).ok()?;
        (elf::file_header(&fd)? == *header).then_some(fd)
    };
    auxv::file_name(&mut [0; 256]).and_then(opened).or_else(|| opened(c"/proc/self/exe"))
}

/// Metadata in the file that the kernel says is mapped there.
#[inline(never)]
fn in_mapped_file(file: &dl::Loaded, header: &elf::FileHeader, id: &[u8]) -> Option<Metadata<'static>> {
    let mut path = PathBuffer::new();
    path.push(named_at(file.start)?.name());
    let path = path.finish()?;
    in_file(&Fd::open(path).ok()?, header, path, id)
}

/// Metadata in the section of a linked file.
#[inline(never)]
fn in_file(fd: &Fd, header: &elf::FileHeader, path: &CStr, id: &[u8]) -> Option<Metadata<'static>> {
    let section = elf::find_section(fd, header, SECTION_NAME.as_bytes(), size_of::<Header>())?;
    map(fd, path, section, id)
}

/// Metadata in a file of its own: `dir/.build-id/xx/yyyy.meta`, which holds nothing else, or has the section.
#[inline(never)]
fn separate(id: &[u8]) -> Option<Metadata<'static>> {
    let (first, rest) = id.split_first()?;
    env::get(Variable::MetaBase)?.to_bytes().split(|&byte| byte == b':').find_map(|dir| {
        let mut path = PathBuffer::new();
        path.push(dir);
        path.push(b"/.build-id/");
        path.push_hex(*first);
        path.push(b"/");
        rest.iter().for_each(|&byte| path.push_hex(byte));
        path.push(b".meta");
        let path = path.finish()?;
        let fd = Fd::open(path).ok()?;
        elf::file_header(&fd).and_then(|header| in_file(&fd, &header, path, id)).or_else(|| {
            let size = fd.size().ok()?;
            map(&fd, path, elf::Extent { offset: 0, size }, id)
        })
    })
}

fn map(fd: &Fd, path: &CStr, section: elf::Extent, id: &[u8]) -> Option<Metadata<'static>> {
    let size = usize::try_from(section.size).ok().filter(|&n| n > 0)?;
    if section.offset.checked_add(section.size)? > fd.size().ok()? {
        return None;
    }
    let lead = (section.offset % PAGE_SIZE as u64) as usize;
    let start = memory::map_file(fd, section.offset - lead as u64, lead.checked_add(size)?).ok()?;
    // SAFETY: the mapping has `lead + size` bytes, all inside the file, and is never given back once it is in use.
    let bytes: &'static [u8] = unsafe { core::slice::from_raw_parts(start.add(lead).as_ptr(), size) };
    let metadata = parse(bytes, Path(path.to_bytes()), id);
    if metadata.is_none() {
        // SAFETY: nothing refers to what is not metadata.
        unsafe { memory::unmap(start, lead + size) };
    }
    metadata
}

/// Metadata, if it is that of the file with this build-id.
#[inline(never)]
fn parse(bytes: &'static [u8], path: Path<'_>, id: &[u8]) -> Option<Metadata<'static>> {
    match Metadata::parse(bytes) {
        Ok(metadata) if metadata.build_id() == id => {
            log(Level::Detail, format_args!("{path}: metadata of {} bytes", bytes.len()));
            return Some(metadata);
        }
        Ok(_) => {
            log(Level::Problem, format_args!("{path}: the build-id in its metadata is not that in memory"))
        }
        Err(error) => log(Level::Problem, format_args!("{path}: {error}")),
    }
    None
}

/// The build-id of a file as it is in memory; empty if it has none.
///
/// # Safety
/// The file is loaded while the result is used.
pub(super) unsafe fn build_id<'a>(file: &dl::Loaded) -> &'a [u8] {
    // SAFETY: the file stays loaded, says the caller.
    let page: &'a [u8] = unsafe { first_page(file) };
    let inside = |segment: &loaded::Segment| {
        loaded::segments(page).any(|load| {
            load.kind == loaded::PT_LOAD
                && segment.svma >= load.svma
                && segment
                    .svma
                    .checked_add(segment.file_size)
                    .is_some_and(|end| end <= load.svma.saturating_add(load.file_size))
        })
    };
    loaded::segments(page)
        .filter(|segment| segment.kind == loaded::PT_NOTE && inside(segment))
        .find_map(|segment| {
            let start = (segment.svma as usize).wrapping_add(file.bias) as *const u8;
            // SAFETY: the notes lie inside a loaded segment.
            loaded::build_id(unsafe { core::slice::from_raw_parts(start, segment.file_size as usize) })
        })
        .unwrap_or(&[])
}

/// A string that stays; empty without memory.
fn keep(text: &CStr) -> &'static CStr {
    let kept = private_heap::alloc_slice(text.to_bytes_with_nul());
    kept.and_then(|bytes| CStr::from_bytes_with_nul(bytes).ok()).unwrap_or(c"")
}

/// Path of the program.
pub(super) fn program_path() -> &'static CStr {
    static PATH: AtomicPtr<c_char> = AtomicPtr::new(core::ptr::null_mut());
    let known = PATH.load(Ordering::Acquire);
    if !known.is_null() {
        // SAFETY: only strings that stay are stored there.
        return unsafe { CStr::from_ptr(known) };
    }
    let mut buffer = Scratch::default();
    // The link is read into all but the last byte, which ends the path.
    let filled = buffer.fill(0, PATH_MAX);
    if let (Some(()), [text @ .., _]) = (filled, buffer.as_mut_slice()) {
        let _ = readlink(c"/proc/self/exe", text);
    }
    let path = CStr::from_bytes_until_nul(buffer.as_slice()).map_or(c"", keep);
    PATH.store(path.as_ptr().cast_mut(), Ordering::Release);
    path
}

/// The first page of a file, which begins with its headers.
///
/// # Safety
/// The file is loaded while the result is used.
pub unsafe fn first_page<'a>(file: &dl::Loaded) -> &'a [u8] {
    // SAFETY: the first segment starts at a page boundary and has at least one page.
    unsafe { core::slice::from_raw_parts(file.start.pointer::<u8>(), PAGE_SIZE) }
}

/// The loaded segment with bytes of the file that holds an address in the file.
#[must_use]
pub fn segment_with(first_page: &[u8], svma: u64) -> Option<loaded::Segment> {
    loaded::segments(first_page).find(|segment| {
        segment.kind == loaded::PT_LOAD && svma.wrapping_sub(segment.svma) < segment.file_size
    })
}

/// The segment of a loaded file that holds an address: start and size in memory.
#[must_use]
pub fn loaded_segment(module: &Module, p: Avma) -> Option<(Avma, usize)> {
    let file = dl::loaded_at(module.start)?;
    // SAFETY: the file was just found to be loaded.
    let page = unsafe { first_page(&file) };
    let svma = module.svma(p).0;
    loaded::segments(page)
        .find(|s| s.kind == loaded::PT_LOAD && svma.wrapping_sub(s.svma) < s.memory_size)
        .map(|s| (module.avma(Svma(s.svma)), s.memory_size as usize))
}

/// A word of a file that is loaded, such as one that the dynamic linker fills in. `None` where no readable bytes of it are.
#[must_use]
pub fn word(module: &Module, svma: Svma) -> Option<usize> {
    let place = module.avma(svma);
    if !dl::has_no_lock() {
        // It may have been unloaded meanwhile.
        let mut word = [0];
        return (process::read_words(place, &mut word).ok()? == word.len()).then_some(word[0]);
    }
    let file = dl::loaded_at(module.start).filter(|file| module.lies_as(file))?;
    // SAFETY: the file was just found to be loaded.
    let page = unsafe { first_page(&file) };
    let segment = segment_with(page, svma.0).filter(|segment| segment.flags & loaded::PF_R != 0)?;
    let is_inside = segment.file_size - (svma.0 - segment.svma) >= size_of::<usize>() as u64;
    // SAFETY: the word lies in a loaded segment; volatile, since the dynamic linker may be writing it.
    (is_inside && place.0.is_multiple_of(align_of::<usize>()))
        .then(|| unsafe { place.pointer::<usize>().read_volatile() })
}

/// Calls `f` with start and end in memory of each segment of a file that is still loaded.
pub fn segments_of<B>(module: &Module, mut f: impl FnMut(Avma, Avma) -> ControlFlow<B>) -> ControlFlow<B> {
    let Some(file) = dl::loaded_at(module.start) else { return ControlFlow::Continue(()) };
    // SAFETY: the file was just found to be loaded.
    let page = unsafe { first_page(&file) };
    loaded::segments(page).filter(|s| s.kind == loaded::PT_LOAD).try_for_each(|s| {
        f(module.avma(Svma(s.svma)), module.avma(Svma(s.svma.saturating_add(s.memory_size))))
    })
}

/// A path put together, apart from the stack, which may be small. What does not fit makes it no path at all.
struct PathBuffer {
    bytes: Scratch<u8>,
    is_whole: bool,
}

impl PathBuffer {
    fn new() -> PathBuffer {
        PathBuffer { bytes: Scratch::default(), is_whole: true }
    }

    fn push(&mut self, part: &[u8]) {
        self.is_whole &=
            self.bytes.as_slice().len() + part.len() < PATH_MAX && self.bytes.extend(part).is_some();
    }

    fn push_hex(&mut self, byte: u8) {
        let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble & 15)];
        self.push(&[digit(byte >> 4), digit(byte)]);
    }

    fn finish(&mut self) -> Option<&CStr> {
        self.push(&[0]);
        CStr::from_bytes_with_nul(self.bytes.as_slice()).ok().filter(|_| self.is_whole)
    }
}
