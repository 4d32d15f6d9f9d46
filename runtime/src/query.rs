//! The one path from an address to what is known of it.
//!
//! [`place_of`] finds the leaf allocation that holds an address, trying the cheapest first: the calling thread's stack,
//! the heap index and that of pools, loaded files, and then the kernel. A [`Place`] computes only what it is asked for.

use allocs_metadata::Heap;

use crate::allocators::auxv::{self, Item};
use crate::allocators::mmap::{self, Mapping};
use crate::allocators::site_types;
use crate::allocators::stack::{self, Bounds, FrameHit, Miss, Object};
use crate::allocators::statics::{self, StaticHit};
use crate::avma::Avma;
use crate::index::pools::{self, Object as PoolObject};
use crate::index::{self, Block, Coverage, site};
use crate::init;
use crate::interpose;
use crate::modules::symbols::{self, Symbol};
use crate::modules::{self, Module, open};
use crate::sys::memory;
use crate::types::{self, TypeRef};
use crate::unwind::Caller;

/// Who manages an allocation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Allocator {
    /// The kernel's mappings.
    Mmap,
    /// The program break.
    Brk,
    /// A loaded file, between its segments.
    StaticFile,
    /// A segment of a loaded file.
    StaticSegment,
    /// A section of a loaded file.
    StaticSection,
    /// A symbol of a loaded file.
    StaticSymbol,
    /// A thread's stack.
    Stack,
    /// A function's frame.
    StackFrame,
    /// A block of `alloca` or an array of variable length, in a frame.
    Alloca,
    /// The area above the first frame.
    Auxv,
    /// The C library's `malloc`.
    Malloc,
    /// Another `malloc`.
    OwnMalloc,
    /// A pool.
    Small,
}

/// Why something is not known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// Nothing is mapped there, or the library is not active.
    UnknownStorage,
    /// The heap there is not indexed.
    UnindexedHeap,
    /// The site that allocated the block has no type.
    UnknownSite,
    /// The same of a block on the stack.
    UnindexedAlloca,
    /// The symbol has no type, or there is none.
    UnknownStatic,
    /// The stack walk got lost.
    LostWalk,
    /// The function has no frame metadata.
    UnknownFrame,
}

/// The leaf allocation that holds an address.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// None.
    Nowhere,
    /// A heap block.
    Heap(Block),
    /// A heap block that a pool divides, where none of its objects is.
    Divided(Block),
    /// An object of a pool, or of a `malloc` of the program's own.
    Pooled(PoolObject),
    /// A symbol of a loaded file.
    Static(StaticHit),
    /// A symbol of a loaded file that a pool divides, where none of its objects is.
    DividedStatic(StaticHit),
    /// A dynamic symbol of a loaded file without metadata.
    Symbol(Symbol),
    /// A section of a loaded file, where no symbol is.
    Section(&'static Module, Bounds),
    /// A segment of a loaded file, where no section is.
    Segment(&'static Module, Bounds),
    /// A loaded file, where no segment is.
    File(&'static Module),
    /// A stack frame.
    Frame(Object),
    /// A block of `alloca` in one.
    Alloca(Block),
    /// An array of variable length in one.
    Vla(Object),
    /// A stack, where no known frame is.
    Stack(Bounds, Miss),
    /// Part of the area above the first frame.
    Auxv(Item),
    /// A mapping that nobody divides further.
    Mapping(Mapping),
}

/// The heap block that holds an address, when nothing else can: most queries end here, and make no [`Place`].
#[must_use]
#[inline]
pub fn heap_block_at(p: Avma, caller: Caller) -> Option<Block> {
    // Where there are pools, the block need not be the leaf.
    if pools::exist() {
        return None;
    }
    // An address above the stack pointer may be that of a frame on a stack that lies in a heap block.
    if p < caller.return_slot && init::ready() { index::block_near(p) } else { None }
}

/// The leaf allocation that holds an address.
#[must_use]
pub fn place_of(p: Avma, caller: Caller) -> Place {
    if p.0 < memory::PAGE_SIZE || p >= Avma::USER_END || !init::ready() {
        return Place::Nowhere;
    }
    if stack::own_stack_at(p, caller).is_some() {
        return match stack::frame_at(p, caller) {
            Ok(hit) => hit.into(),
            // A signal stack, a coroutine's or a thread's may lie in a heap block or in a static.
            Err(miss) => divided(p).unwrap_or_else(|| outside_frames(p, caller, miss)),
        };
    }
    divided(p).unwrap_or_else(|| mapped(p, caller))
}

/// What is known without asking the kernel.
#[inline]
fn divided(p: Avma) -> Option<Place> {
    if pools::exist()
        && let Some(place) = pooled(p)
    {
        return Some(place);
    }
    if let Some(block) = index::block_near(p) {
        return Some(Place::Heap(block));
    }
    if let Some(module) = modules::at(p) {
        return Some(in_file(module, p));
    }
    auxv::item_at(p).map(Place::Auxv).or_else(|| index::block_at(p).map(Place::Heap))
}

/// What pools and the like say of an address.
#[cold]
fn pooled(p: Avma) -> Option<Place> {
    if let Some(block) = index::block_at(p) {
        let object = || pools::object_at(p).filter(|object| block.holds(object.base));
        return index::is_divided(&block).then(|| object().map_or(Place::Divided(block), Place::Pooled));
    }
    // Nobody says when other memory is given back.
    pools::object_at(p).filter(|_| memory::is_mapped(p)).map(Place::Pooled)
}

fn in_file(module: &'static Module, p: Avma) -> Place {
    if let Some(hit) = statics::static_at(module, p) {
        let is_divided = is_divided_static(hit.base(), hit.size());
        return if is_divided { Place::DividedStatic(hit) } else { Place::Static(hit) };
    }
    if module.metadata.is_none()
        && let Some(symbol) = symbols::symbol_at(module, p)
    {
        return Place::Symbol(symbol);
    }
    let bounds = |(start, size): (Avma, usize)| Bounds { start, end: Avma(start.0.wrapping_add(size)) };
    if let Some(section) = open::section_with(module, p) {
        return Place::Section(module, bounds(section));
    }
    match open::loaded_segment(module, p) {
        Some(segment) => Place::Segment(module, bounds(segment)),
        // Between the segments of a program there may be nothing, where those of a library have pages of the file.
        None if mmap::mapping_at(p).is_none() => Place::Nowhere,
        None => Place::File(module),
    }
}

/// Whether a pool divides a static of `size` bytes at `base`.
#[must_use]
pub fn is_divided_static(base: Avma, size: usize) -> bool {
    pools::exist() && pools::ever_in(base, Avma(base.0.saturating_add(size)))
}

/// Whose the blocks are that the interposed functions enter.
#[must_use]
#[inline]
pub fn malloc_in_use() -> Allocator {
    if interpose::is_foreign() { Allocator::OwnMalloc } else { Allocator::Malloc }
}

/// The mapping that holds an address, without what the kernel merged with it on the other side of a loaded file's end. All
/// pages of a loaded file are one mapping, in which it lies.
#[must_use]
pub fn mapping_at(p: Avma) -> Option<Mapping> {
    let mapping = mmap::mapping_at(p)?;
    let Some(file) = modules::at(p).or_else(|| modules::at(mapping.start)) else { return Some(mapping) };
    let of_file = Mapping::of_file(file.start, file.end);
    if p < of_file.end {
        return Some(of_file);
    }
    let [_, behind] = mapping.split_at_file(file.end);
    Some(behind)
}

/// Where an address is that was taken for one on the calling thread's stack, by the bounds that the stack had some time ago.
#[cold]
fn outside_frames(p: Avma, caller: Caller, miss: Miss) -> Place {
    match stack::find_bounds(caller.return_slot).filter(|bounds| bounds.hold(p)) {
        Some(bounds) => Place::Stack(bounds, miss),
        None => mapped(p, caller),
    }
}

#[cold]
fn mapped(p: Avma, caller: Caller) -> Place {
    let Some(mapping) = mapping_at(p) else { return Place::Nowhere };
    // From a signal handler on a stack of its own, the walk goes over to the stack that was interrupted.
    match stack::frame_at(p, caller) {
        Ok(hit) => hit.into(),
        Err(miss) => match stack::any_at(p, &mapping) {
            Some(bounds) => Place::Stack(bounds, miss),
            None => Place::Mapping(mapping),
        },
    }
}

impl From<FrameHit> for Place {
    fn from(hit: FrameHit) -> Place {
        match hit {
            FrameHit::Variables(object) => Place::Frame(object),
            FrameHit::Alloca(block) => Place::Alloca(block),
            FrameHit::Vla(object) => Place::Vla(object),
        }
    }
}

impl Place {
    /// Who manages it; `None` for nowhere.
    #[must_use]
    pub fn allocator(&self) -> Option<Allocator> {
        Some(match self {
            Place::Nowhere => return None,
            Place::Heap(_) | Place::Divided(_) => malloc_in_use(),
            Place::Pooled(object) => match object.heap {
                Heap::Malloc => Allocator::OwnMalloc,
                Heap::Small => Allocator::Small,
            },
            Place::Static(_) | Place::DividedStatic(_) | Place::Symbol(_) => Allocator::StaticSymbol,
            Place::Section(..) => Allocator::StaticSection,
            Place::Segment(..) => Allocator::StaticSegment,
            Place::File(_) => Allocator::StaticFile,
            Place::Frame(_) => Allocator::StackFrame,
            Place::Alloca(_) | Place::Vla(_) => Allocator::Alloca,
            Place::Stack(..) => Allocator::Stack,
            Place::Auxv(_) => Allocator::Auxv,
            Place::Mapping(mapping) if mapping.kind == mmap::Kind::Heap => Allocator::Brk,
            Place::Mapping(_) => Allocator::Mmap,
        })
    }

    /// Its start, NULL for nowhere.
    #[must_use]
    pub fn base(&self) -> Avma {
        match self {
            Place::Nowhere => Avma::NULL,
            Place::Heap(block) | Place::Divided(block) | Place::Alloca(block) => block.base,
            Place::Pooled(object) => object.base,
            Place::Static(hit) | Place::DividedStatic(hit) => hit.base(),
            Place::Symbol(symbol) => symbol.base,
            Place::Section(_, bounds) | Place::Segment(_, bounds) | Place::Stack(bounds, _) => bounds.start,
            Place::File(module) => module.start,
            Place::Frame(object) | Place::Vla(object) => object.base,
            Place::Auxv(item) => item.base,
            Place::Mapping(mapping) => mapping.start,
        }
    }

    /// Its size in bytes, 0 for nowhere.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Place::Nowhere => 0,
            Place::Heap(block) | Place::Divided(block) | Place::Alloca(block) => block.size,
            Place::Pooled(object) => object.size,
            Place::Static(hit) | Place::DividedStatic(hit) => hit.size(),
            Place::Symbol(symbol) => symbol.size,
            Place::Section(_, bounds) | Place::Segment(_, bounds) | Place::Stack(bounds, _) => {
                bounds.end.0.saturating_sub(bounds.start.0)
            }
            Place::File(module) => module.end.0.saturating_sub(module.start.0),
            Place::Frame(object) | Place::Vla(object) => object.size,
            Place::Auxv(item) => item.size,
            Place::Mapping(mapping) => mapping.size(),
        }
    }

    /// Its type, or why it has none.
    #[inline]
    pub fn ty(&self) -> Result<TypeRef, Reason> {
        match self {
            Place::Nowhere => Err(Reason::UnknownStorage),
            Place::Heap(block) => site_types::type_of(block.site).ok_or(Reason::UnknownSite),
            Place::Alloca(block) => site_types::type_of(block.site).ok_or(Reason::UnindexedAlloca),
            Place::Pooled(object) => site_types::type_of(object.site).ok_or(Reason::UnknownSite),
            Place::Divided(_) | Place::DividedStatic(_) => Err(Reason::UnknownStorage),
            Place::Static(hit) => hit.ty().ok_or(Reason::UnknownStatic),
            Place::Symbol(_) | Place::Section(..) | Place::Segment(..) | Place::File(_) => {
                Err(Reason::UnknownStatic)
            }
            Place::Frame(object) | Place::Vla(object) => Ok(object.ty),
            Place::Stack(_, Miss::Lost) => Err(Reason::LostWalk),
            Place::Stack(..) => Err(Reason::UnknownFrame),
            Place::Auxv(item) => item.ty().ok_or(Reason::UnknownStorage),
            Place::Mapping(mapping) => Err(match index::coverage(mapping.start) {
                Coverage::Unindexed => Reason::UnindexedHeap,
                Coverage::NeverUsed | Coverage::Indexed => Reason::UnknownStorage,
            }),
        }
    }

    /// Its type with the lengths that its size gives.
    pub fn precise_ty(&self) -> Result<TypeRef, Reason> {
        let ty = self.ty()?;
        Ok(types::precise::precise(ty, self.size()).unwrap_or(ty))
    }

    /// Its allocation site, NULL where there is none.
    #[must_use]
    pub fn site(&self) -> Avma {
        match self {
            Place::Heap(block) | Place::Divided(block) | Place::Alloca(block) => {
                site(block.site).return_address()
            }
            Place::Pooled(object) => site(object.site).return_address(),
            _ => Avma::NULL,
        }
    }

    /// Hands out its name, if it has one.
    #[must_use]
    pub fn name<T>(&self, f: impl FnOnce(&[u8]) -> T) -> Option<T> {
        match self {
            Place::Static(hit) | Place::DividedStatic(hit) => hit.name().map(|name| f(name.to_bytes())),
            Place::Symbol(symbol) => Some(symbol.name(f)),
            Place::Section(module, _) | Place::Segment(module, _) | Place::File(module) => {
                Some(f(module.path().to_bytes()))
            }
            Place::Frame(_) => self.ty().ok().map(|ty| f(ty.name().to_bytes())),
            Place::Stack(..) => Some(f(b"[stack]")),
            Place::Mapping(mapping) => {
                let named = mmap::named_at(mapping.start)?;
                (!named.name().is_empty()).then(|| f(named.name()))
            }
            Place::Nowhere
            | Place::Heap(_)
            | Place::Divided(_)
            | Place::Pooled(_)
            | Place::Alloca(_)
            | Place::Vla(_)
            | Place::Auxv(_) => None,
        }
    }
}
