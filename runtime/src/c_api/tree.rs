//! The tree of allocations: big allocations by address, and walks.
//!
//! A walk first collects what it will visit (mappings, files), so that no lock of the dynamic linker is held while a
//! client's function runs.
//!
//! # Safety
//! C programs call these; a position is NULL or one that a callback or the header's macros gave.
#![allow(unsafe_code)]

use core::cell::Cell;
use core::ffi::{c_int, c_void};
use core::ops::ControlFlow;

use allocs_metadata::Heap;

use super::allocators::{AllocatorObject, object};
use super::inner;
use super::misc::put;
use crate::allocators::mmap::{self, Mapping};
use crate::allocators::stack::{self, Bounds};
use crate::allocators::{site_types, statics};
use crate::avma::Avma;
use crate::index::big::{self, BigAllocation, BigId};
use crate::index::pools::{self, Object};
use crate::index::{self, Block, site};
use crate::modules::{self, Module, open};
use crate::query::{self, Allocator, Place, malloc_in_use, mapping_at, place_of};
use crate::sys::memory;
use crate::types::scratch::Scratch;
use crate::types::{TypeRef, Uniqtype};
use crate::unwind::Caller;
use crate::unwind::entry::entry;

/// `struct alloc_tree_pos`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Position {
    base: Avma,
    /// A `struct big_allocation *`, or a type with bit 0 set.
    within: usize,
}

/// `struct alloc_tree_link`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Link {
    container: Position,
    coordinate: u32,
}

type Callback = unsafe extern "C" fn(
    *const BigAllocation,
    Avma,
    *mut Uniqtype,
    *const c_void,
    *const Link,
    *mut c_void,
) -> c_int;

/// What a walk comes to.
#[derive(Clone, Copy, Debug)]
enum Node {
    /// The whole process.
    Root,
    /// A mapping.
    Mapping { start: Avma, end: Avma, allocator: Allocator },
    /// A loaded file.
    File(&'static Module),
    /// A segment or section of one.
    Part { module: &'static Module, start: Avma, end: Avma, allocator: Allocator },
    /// An allocation or subobject with a type, in this many bytes.
    Typed { base: Avma, len: usize, ty: Option<TypeRef>, site: Avma, allocator: Option<Allocator> },
}

impl Node {
    fn of_block(block: &Block) -> Node {
        let ty = if index::is_divided(block) { None } else { site_types::type_of(block.site) };
        let site = site(block.site).return_address();
        Node::Typed { base: block.base, len: block.size, ty, site, allocator: Some(malloc_in_use()) }
    }

    fn of_object(object: &Object) -> Node {
        let allocator = Some(match object.heap {
            Heap::Malloc => Allocator::OwnMalloc,
            Heap::Small => Allocator::Small,
        });
        let (ty, site) = (site_types::type_of(object.site), site(object.site).return_address());
        Node::Typed { base: object.base, len: object.size, ty, site, allocator }
    }

    fn start(&self) -> Avma {
        match *self {
            Node::Root => Avma::NULL,
            Node::Mapping { start, .. } | Node::Part { start, .. } => start,
            Node::File(module) => module.start,
            Node::Typed { base, .. } => base,
        }
    }

    fn end(&self) -> Avma {
        match *self {
            Node::Root => Avma::USER_END,
            Node::Mapping { end, .. } | Node::Part { end, .. } => end,
            Node::File(module) => module.end,
            Node::Typed { base, len, .. } => Avma(base.0.saturating_add(len)),
        }
    }

    fn allocator(&self) -> Option<Allocator> {
        match *self {
            Node::Root => None,
            Node::Mapping { allocator, .. } | Node::Part { allocator, .. } => Some(allocator),
            Node::File(_) => Some(Allocator::StaticFile),
            Node::Typed { allocator, .. } => allocator,
        }
    }

    /// What a child's link says of it.
    fn position(&self) -> Position {
        let within = match self {
            Node::Root => 0,
            Node::Typed { ty: Some(ty), .. } => ty.as_ptr() as usize | 1,
            Node::Typed { ty: None, .. } => 0,
            container => record_of(container).map_or(0, |id| core::ptr::from_ref(id.record()) as usize),
        };
        Position { base: self.start(), within }
    }

    /// What a container lies in; `None` for a mapping.
    fn container(&self) -> Option<Node> {
        match *self {
            Node::Root | Node::Typed { .. } => None,
            Node::Mapping { start, allocator, .. } => {
                let outer = mapping_node(&mapping_at(start)?);
                (allocator == Allocator::Stack && outer.allocator() != Some(allocator)).then_some(outer)
            }
            Node::File(module) => Some(mapping_node(&Mapping::of_file(module.start, module.end))),
            Node::Part { module, allocator: Allocator::StaticSegment, .. } => Some(Node::File(module)),
            Node::Part { module, start, .. } => segment_at(module, start).or(Some(Node::File(module))),
        }
    }

    /// Calls `f` with each child that meets [`from`, `to`), by address; `stacks` are all that are not mappings of their own.
    fn children(
        &self,
        stacks: &[Bounds],
        from: Avma,
        to: Avma,
        f: &mut impl FnMut(Node) -> ControlFlow<c_int>,
    ) -> ControlFlow<c_int> {
        let mut visit = |node: Node| {
            if node.end() > from && node.start() < to { f(node) } else { ControlFlow::Continue(()) }
        };
        match *self {
            Node::Root => {
                let mut last_end = Avma::NULL;
                outermost().as_slice().iter().flat_map(|&node| as_it_is_now(node)).flatten().try_for_each(
                    |node| {
                        let is_new = node.start() >= last_end;
                        last_end = node.end().max(last_end);
                        if is_new { visit(node) } else { ControlFlow::Continue(()) }
                    },
                )
            }
            Node::Mapping { start, end, allocator } => {
                let is_here = |stack: &&Bounds| {
                    allocator == Allocator::Mmap && stack.start >= start && stack.end <= end
                };
                let mut stacks = stacks.iter().filter(is_here).peekable();
                let stack_node =
                    |&Bounds { start, end }| Node::Mapping { start, end, allocator: Allocator::Stack };
                each_in_mapping(start.max(from), end.min(to), &mut |node| {
                    while let Some(stack) = stacks.next_if(|stack| stack.start < node.start()) {
                        visit(stack_node(stack))?;
                    }
                    // A block that a thread runs on is the block to everybody else.
                    while stacks.next_if(|stack| stack.start < node.end()).is_some() {}
                    visit(node)
                })?;
                stacks.try_for_each(|stack| visit(stack_node(stack)))
            }
            Node::Typed { base, len, allocator: Some(Allocator::Malloc | Allocator::OwnMalloc), .. }
                if index::block_at_base(base).is_some_and(|block| index::is_divided(&block)) =>
            {
                pools::for_each(base, Avma(base.0.saturating_add(len)), |object| {
                    visit(Node::of_object(&object))
                })
            }
            Node::File(module) => {
                let allocator = Allocator::StaticSegment;
                open::segments_of(module, |start, end| visit(Node::Part { module, start, end, allocator }))
            }
            Node::Typed { base, len, allocator: Some(Allocator::StaticSymbol), .. }
                if query::is_divided_static(base, len) =>
            {
                pools::for_each(base, Avma(base.0.saturating_add(len)), |object| {
                    visit(Node::of_object(&object))
                })
            }
            Node::Part { module, start, end, .. } => statics::each_between(module, start, end, |hit| {
                let (base, len) = (hit.base(), hit.size());
                let ty = if query::is_divided_static(base, len) { None } else { hit.ty() };
                let allocator = Some(Allocator::StaticSymbol);
                visit(Node::Typed { base, len, ty, site: Avma::NULL, allocator })
            }),
            Node::Typed { base, len, ty, .. } => {
                let Some(ty) = ty else { return ControlFlow::Continue(()) };
                inner::each_subobject(ty, len, &mut |ty, offset, len| {
                    let base = Avma(base.0.wrapping_add(offset));
                    visit(Node::Typed { base, len, ty: Some(ty), site: Avma::NULL, allocator: None })
                })
            }
        }
    }
}

/// Calls `f` with the heap blocks in a part of a mapping, and the objects of pools that lie in none, by address.
fn each_in_mapping(
    from: Avma,
    to: Avma,
    f: &mut impl FnMut(Node) -> ControlFlow<c_int>,
) -> ControlFlow<c_int> {
    if !pools::exist() {
        return index::for_each_block(from, to, |block| f(Node::of_block(&block)));
    }
    let mut nodes = Scratch::default();
    let _: ControlFlow<()> = index::for_each_block(from, to, |block| {
        let _ = nodes.push(Node::of_block(&block));
        ControlFlow::Continue(())
    });
    let _: ControlFlow<()> = pools::for_each(from, to, |object| {
        if index::block_at(object.base).is_none() && memory::is_mapped(object.base) {
            let _ = nodes.push(Node::of_object(&object));
        }
        ControlFlow::Continue(())
    });
    nodes.as_mut_slice().sort_unstable_by_key(Node::start);
    nodes.as_slice().iter().try_for_each(|&node| f(node))
}

/// The children of the whole process: files, and the mappings that are no file's.
fn outermost() -> Scratch<Node> {
    let mut nodes = Scratch::default();
    let mut files: Scratch<&'static Module> = Scratch::default();
    let _ = modules::each(|module| files.push(module).is_none().then_some(()));
    files.as_mut_slice().sort_unstable_by_key(|module| module.start);
    let mut files = files.as_slice().iter().peekable();
    let mut last_end = Avma::NULL;
    let _ = mmap::find_mapping(|named| {
        let mapping = &named.mapping;
        while let Some(file) = files.next_if(|file| file.start <= mapping.start) {
            last_end = file.end;
            let _ = nodes.push(Node::File(file));
        }
        let [_, outside] = mapping.split_at_file(last_end);
        if outside.size() > 0 {
            let _ = nodes.push(mapping_node(&outside));
        }
        false
    });
    nodes
}

/// What there is now of a mapping of some time ago: the lists that were used to find it may have been a part of it at either end,
/// or all of it.
fn as_it_is_now(node: Node) -> [Option<Node>; 2] {
    let Node::Mapping { start, end, .. } = node else { return [Some(node), None] };
    let [first, last] = [start, Avma(end.0 - 1)].map(mapping_at);
    [first, last.filter(|_| first != last)].map(|mapping| mapping.map(|mapping| mapping_node(&mapping)))
}

fn segment_at(module: &'static Module, p: Avma) -> Option<Node> {
    let (start, size) = open::loaded_segment(module, p)?;
    let end = Avma(start.0.wrapping_add(size));
    Some(Node::Part { module, start, end, allocator: Allocator::StaticSegment })
}

fn mapping_node(mapping: &Mapping) -> Node {
    let allocator = match mapping.kind {
        mmap::Kind::Heap => Allocator::Brk,
        mmap::Kind::Stack => Allocator::Stack,
        mmap::Kind::Other => Allocator::Mmap,
    };
    Node::Mapping { start: mapping.start, end: mapping.end, allocator }
}

/// The record of an allocation, made if there is none, with records of what it lies in.
fn record_of(node: &Node) -> Option<BigId> {
    match node {
        Node::Typed { allocator: Some(Allocator::Small), .. } => return None,
        Node::Typed { allocator: Some(Allocator::Malloc | Allocator::OwnMalloc), base, .. } => {
            return index::promote_block(&index::block_at_base(*base)?);
        }
        _ => {}
    }
    let by: *const AllocatorObject = object(node.allocator()?);
    big::recorded(node.start(), node.end(), by.cast_mut().cast::<c_void>(), || record_of(&node.container()?))
}

/// What a record stands for.
fn node_of(record: &BigAllocation) -> Option<Node> {
    let by = record.allocated_by.load(core::sync::atomic::Ordering::Relaxed).cast_const();
    let is = |allocator| core::ptr::eq(by, core::ptr::from_ref(object(allocator)).cast());
    let (start, end) = (record.begin(), record.end());
    if is(Allocator::StaticFile) {
        return modules::at(start).map(Node::File);
    }
    let part = [Allocator::StaticSegment, Allocator::StaticSection].into_iter().find(|&a| is(a));
    if let Some(allocator) = part {
        return modules::at(start).map(|module| Node::Part { module, start, end, allocator });
    }
    let mapping = [Allocator::Mmap, Allocator::Brk, Allocator::Stack].into_iter().find(|&a| is(a));
    if let Some(allocator) = mapping {
        return Some(Node::Mapping { start, end, allocator });
    }
    index::block_at_base(start).map(|block| Node::of_block(&block))
}

/// What a position stands for.
///
/// # Safety
/// `position` is NULL, or its second word is 0, a record, or a type with bit 0 set.
unsafe fn node_at(position: *const Position) -> Option<Node> {
    // SAFETY: says the caller.
    let Some(position) = (unsafe { position.as_ref() }) else { return Some(Node::Root) };
    if position.within == 0 {
        return Some(Node::Root);
    }
    if position.within & 1 == 0 {
        // SAFETY: says the caller.
        return node_of(unsafe { &*(position.within as *const BigAllocation) });
    }
    // SAFETY: says the caller.
    let ty = unsafe { TypeRef::from_ptr((position.within & !1) as *const Uniqtype) }?;
    let len = ty.size().or_else(|| Some(index::block_at(position.base)?.size))?;
    Some(Node::Typed { base: position.base, len, ty: Some(ty), site: Avma::NULL, allocator: None })
}

/// Deepest nesting that a walk follows.
const MAX_DEPTH: u32 = 128;

struct Walk {
    stacks: Scratch<Bounds>,
    callback: Callback,
    argument: *mut c_void,
    is_deep: bool,
    /// How many subobjects of the allocation at hand are still visited: none has more, unless its type contains itself, as
    /// only broken metadata says.
    subobjects: Cell<usize>,
}

impl Walk {
    fn below(&self, parent: &Node, from: Avma, to: Avma, depth: u32) -> ControlFlow<c_int> {
        let container = parent.position();
        let mut coordinate = 0;
        parent.children(self.stacks.as_slice(), from, to, &mut |child| {
            coordinate += 1;
            let link = Link { container, coordinate };
            let (ty, site) = match child {
                Node::Typed { ty, site, .. } => (ty, site),
                _ => (None, Avma::NULL),
            };
            let record = match child {
                Node::Typed { allocator: Some(Allocator::Malloc | Allocator::OwnMalloc), base, .. } => {
                    index::record_at(base)
                }
                Node::Typed { .. } => None,
                _ => record_of(&child),
            };
            let record = record.map_or(core::ptr::null(), |id| core::ptr::from_ref(id.record()));
            let ty = ty.map_or(core::ptr::null_mut(), TypeRef::as_ptr);
            // SAFETY: the callback has the header's signature.
            let result = unsafe {
                (self.callback)(record, child.start(), ty, site.pointer(), &raw const link, self.argument)
            };
            match result {
                0 if self.is_deep && depth < MAX_DEPTH && self.enters(&child) => {
                    self.below(&child, child.start(), child.end(), depth + 1)
                }
                0 | -1 => ControlFlow::Continue(()),
                other => ControlFlow::Break(other),
            }
        })
    }

    /// Whether the walk goes into a child.
    fn enters(&self, child: &Node) -> bool {
        match child {
            Node::Typed { allocator: Some(_), len, .. } => {
                self.subobjects.set(len.saturating_mul(4).saturating_add(1000));
                true
            }
            Node::Typed { .. } => {
                let left = self.subobjects.get();
                self.subobjects.set(left.saturating_sub(1));
                left > 0
            }
            _ => true,
        }
    }

    fn run(&self, root: &Node, from: Avma, to: Avma) -> c_int {
        match self.below(root, from, to, 0) {
            ControlFlow::Continue(()) => 0,
            ControlFlow::Break(result) => result,
        }
    }
}

/// Calls `callback` for the children of `position` that meet [`begin`, `end`).
///
/// # Safety
/// `position` is NULL or one that the library gave; `callback` has the header's signature.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn alloc_walk_allocations(
    position: *const Position,
    callback: Option<Callback>,
    argument: *mut c_void,
    begin: Avma,
    end: Avma,
) -> c_int {
    // SAFETY: says the caller.
    let (Some(root), Some(callback)) = (unsafe { node_at(position) }, callback) else { return 0 };
    let end = if end.is_null() { root.end() } else { end };
    let stacks = stack::all();
    Walk { stacks, callback, argument, is_deep: false, subobjects: Cell::new(0) }.run(&root, begin, end)
}

/// `__liballocs_alloc_walk_allocations`.
///
/// # Safety
/// As [`alloc_walk_allocations`].
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __liballocs_alloc_walk_allocations(
    position: *const Position,
    callback: Option<Callback>,
    argument: *mut c_void,
    begin: Avma,
    end: Avma,
) -> c_int {
    // SAFETY: says the caller.
    unsafe { alloc_walk_allocations(position, callback, argument, begin, end) }
}

/// Calls `callback` for all that is below `position`, depth first.
///
/// # Safety
/// As [`alloc_walk_allocations`].
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __liballocs_walk_allocations_df(
    position: *const Position,
    callback: Option<Callback>,
    argument: *mut c_void,
) -> c_int {
    // SAFETY: says the caller.
    let (Some(root), Some(callback)) = (unsafe { node_at(position) }, callback) else { return 0 };
    let subobjects =
        Cell::new(root.end().0.saturating_sub(root.start().0).saturating_mul(4).saturating_add(1000));
    let stacks = stack::all();
    Walk { stacks, callback, argument, is_deep: true, subobjects }.run(&root, root.start(), root.end())
}

entry!(__liballocs_leaf_allocator_for => leaf_allocator_for, "rdx", "rcx");
entry!(__lookup_bigalloc_from_root => lookup_bigalloc, "rcx", "r8");

unsafe extern "C" fn leaf_allocator_for(
    obj: Avma,
    big: *mut *const BigAllocation,
    return_slot: Avma,
    rbp: Avma,
) -> *const AllocatorObject {
    let place = place_of(obj, Caller { return_slot, rbp });
    let mut innermost = None;
    for_each_enclosing(obj, &place, |node| {
        innermost = if let Node::Typed { base, .. } = node { index::record_at(*base) } else { None }
            .or_else(|| record_of(node).filter(|_| !matches!(node, Node::Typed { .. })))
            .or(innermost);
        ControlFlow::Continue(())
    });
    // SAFETY: `big` is NULL or the caller's.
    unsafe { put(big, innermost.map_or(core::ptr::null(), |id| core::ptr::from_ref(id.record()))) };
    place.allocator().map_or(core::ptr::null(), |allocator| object(allocator))
}

unsafe extern "C" fn lookup_bigalloc(
    obj: Avma,
    allocator: *const AllocatorObject,
    base: *mut Avma,
    return_slot: Avma,
    rbp: Avma,
) -> *const BigAllocation {
    let place = place_of(obj, Caller { return_slot, rbp });
    let mut found = None;
    for_each_enclosing(obj, &place, |node| {
        let fits = |a| allocator.is_null() || core::ptr::eq(object(a), allocator);
        if node.allocator().is_some_and(fits) {
            found = record_of(node);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    // SAFETY: `base` is NULL or the caller's.
    unsafe { put(base, found.map_or(Avma::NULL, |id| id.record().begin())) };
    found.map_or(core::ptr::null(), |id| core::ptr::from_ref(id.record()))
}

/// Calls `f` with the allocations that hold an address, the outermost first.
fn for_each_enclosing(p: Avma, place: &Place, mut f: impl FnMut(&Node) -> ControlFlow<()>) {
    let Some(mapping) = mapping_at(p) else { return };
    let mut chain: [Option<Node>; 6] = [Some(mapping_node(&mapping)), None, None, None, None, None];
    if let Some(module) = modules::at(p) {
        chain[1] = Some(Node::File(module));
        chain[2] = segment_at(module, p);
        chain[3] = open::section_with(module, p).map(|(start, size)| Node::Part {
            module,
            start,
            end: Avma(start.0.wrapping_add(size)),
            allocator: Allocator::StaticSection,
        });
    } else if mapping.kind != mmap::Kind::Stack {
        let bounds = match place {
            Place::Stack(bounds, _) => Some(*bounds),
            Place::Frame(_) | Place::Alloca(_) | Place::Vla(_) => stack::any_at(p, &mapping),
            _ => None,
        };
        let allocator = Allocator::Stack;
        chain[1] = bounds.map(|Bounds { start, end }| Node::Mapping { start, end, allocator });
    }
    if let Place::Pooled(_) = place {
        chain[4] = index::block_at(p).map(|block| Node::of_block(&block));
    }
    if let Place::Heap(_)
    | Place::Divided(_)
    | Place::Pooled(_)
    | Place::Static(_)
    | Place::DividedStatic(_)
    | Place::Symbol(_)
    | Place::Frame(_)
    | Place::Alloca(_)
    | Place::Vla(_)
    | Place::Auxv(_) = place
    {
        chain[5] = Some(Node::Typed {
            base: place.base(),
            len: place.size(),
            ty: place.ty().ok(),
            site: place.site(),
            allocator: place.allocator(),
        });
    }
    let _ = chain.iter().flatten().try_for_each(&mut f);
}
