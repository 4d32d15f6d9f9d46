//! The type of each allocation site, from the facts of all files of a link.

use allocs_metadata::Evidence;

use super::effect::{Effect, leaves};
use super::explain::{Explainer, Explanation};
use super::facts::{Behind, Callee, FileFacts, Place, Sink, SizeExpr, TypeRef};
use super::functions::{DeclaredFunctions, Gives, Kind};
use super::heap_type::{Head, HeapType, is_character, is_complete, is_record};
use super::imports::{Imports, Requirement};
use super::shape::{self, Aggregates, Context, Shape};
use super::signature::Signature;
use super::sums::{self, Helpers, Sum, Unit};
use super::targets::Targets;
use super::uses::Uses;
use super::wrappers::{self, Site};
use crate::c::types::{CHAR, UCHAR};

/// An allocation site of the source and what it allocates.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SolvedSite {
    /// Index of the file in the facts given.
    pub file: usize,
    /// The function that holds the call.
    pub function: String,
    /// Where the callee's name stands.
    pub place: Place,
    /// First line of the casts and calls around it.
    pub first_line: u32,
    /// Last line of the call.
    pub last_line: u32,
    /// Which of the calls with the same file, function, line and callee it is.
    pub ordinal: u32,
    /// The function that is called; `None` for a function pointer.
    pub callee: Option<String>,
    /// The arguments of the call, seen as sizes.
    pub arguments: Vec<SizeExpr>,
    /// The function that holds the call allocates for its caller. What else is said of the site is for callers that nothing is known of.
    pub is_in_wrapper: bool,
    /// What a new block of this site holds.
    pub ty: HeapType,
    /// How that is known.
    pub evidence: Evidence,
    /// It is proved to be a buffer of characters or bytes.
    pub is_buffer: bool,
    /// A block that this site resizes gets the site's type too.
    pub retypes: bool,
    /// Why.
    pub why: Explanation,
    /// What the functions of other files that are called must be; else nothing of this is so.
    pub requirements: Vec<Requirement>,
}

/// What the sources of a link say of allocations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Solution {
    /// The allocation sites of all files.
    pub sites: Vec<SolvedSite>,
    /// The functions that other files may call and that allocate for their callers, by name.
    pub signatures: Vec<(String, Signature)>,
}

/// The allocation sites of all files, and what their functions allocate for callers in other files.
#[must_use]
pub fn solve(files: &[FileFacts], declared: &DeclaredFunctions, imports: &Imports) -> Solution {
    let helpers = Helpers::new(files);
    let targets = Targets::new(files, declared, imports);
    let found = wrappers::find(files, declared, imports, &targets, &helpers);
    let explainer = Explainer::new(files, &found.sites);
    let uses = Uses::new(files, &targets);
    let mut sites = Vec::new();
    for (file, facts) in files.iter().enumerate() {
        let aggregates = Aggregates::new(facts);
        for (index, call) in facts.calls.iter().enumerate() {
            let Some(site) = found.sites.get(&(file, index)) else { continue };
            let function = facts.functions.get(call.function as usize);
            let is_generic = function.is_some_and(|function| is_pointer_to_anything(&function.result));
            let mut finding = if site.is_open() {
                Finding::NOTHING
            } else {
                find(file, site, is_generic, &helpers, &aggregates)
            };
            if is_row_of_itself(site, &finding.ty, &call.sinks) {
                finding = Finding::NOTHING;
            }
            // In a wrapper, a scalar is what it keeps for itself, or a unit of rounding.
            let says_size = matches!(finding.evidence, Evidence::Sizeof | Evidence::Both);
            let is_own = site.is_in_wrapper && says_size && !finding.ty.has_record();
            let mut finding = if is_own { Finding::NOTHING } else { finding };
            let makes_text = site.effects.iter().all(|effect| effect.kind == Kind::Text);
            // The callers say how many elements there are and how large: a pointer to characters counts bytes.
            let is_of_elements = is_generic && site.effects.iter().all(Effect::is_product_of_parameters);
            let is_other = || {
                let is_for_caller = || is_generic && site.is_in_wrapper;
                let is_untyped = finding.evidence == Evidence::Receiver && is_kept_untyped(&site.sinks);
                uses.is_carved(file, &site.sinks)
                    || (is_untyped && (is_for_caller() || uses.are_objects(file, &site.sinks)))
            };
            if finding.ty.is_buffer() && !makes_text && (is_of_elements || is_other()) {
                finding = Finding::NOTHING;
            }
            if finding.ty == HeapType::Unknown && is_plain(site) {
                let ty = of_uses(file, site, &uses);
                if ty != HeapType::Unknown {
                    finding = Finding { ty, evidence: Evidence::Receiver, ..finding };
                }
            }
            let is_unknown = finding.evidence == Evidence::None;
            let reason = is_unknown.then(|| explainer.reason((file, index), &helpers, &aggregates));
            let steps = explainer.steps((file, index), &finding.ty, finding.evidence);
            sites.push(SolvedSite {
                file,
                function: facts
                    .functions
                    .get(call.function as usize)
                    .map(|f| f.name.clone())
                    .unwrap_or_default(),
                place: call.place.clone(),
                first_line: call.first_line,
                last_line: call.last_line,
                ordinal: call.ordinal,
                callee: match &call.callee {
                    Callee::Direct(name) => Some(name.clone()),
                    Callee::Field(..)
                    | Callee::Global(_)
                    | Callee::Static(_)
                    | Callee::Param(_)
                    | Callee::Result(_)
                    | Callee::Any => None,
                },
                arguments: call.arguments.clone(),
                is_in_wrapper: site.is_in_wrapper,
                is_buffer: finding.ty.is_buffer(),
                ty: finding.ty,
                evidence: finding.evidence,
                retypes: finding.retypes,
                why: Explanation { reason, steps, hops: explainer.hops((file, index)) },
                requirements: site.requirements.clone(),
            });
        }
    }
    Solution { sites, signatures: found.signatures }
}

/// Whether a block without a type may be a buffer of bytes: it is known what makes it and what lies in front of it for a wrapper, and its
/// size is no number of elements of some size.
fn is_plain(site: &Site) -> bool {
    !site.is_open()
        && site.effects.iter().all(|effect| {
            effect.behind != Behind::Something && !effect.size.is_product() && !effect.mentions_type()
        })
}

/// What a plain block without a type holds by what is done with the pointers to it: bytes, or numbers.
fn of_uses<'f>(file: usize, site: &'f Site, uses: &Uses<'f>) -> HeapType {
    if uses.are_bytes(file, &site.sinks) || is_text(site) {
        let bytes = |effect: &Effect| in_block(&effect.behind, HeapType::ArrayOf(TypeRef::Base(UCHAR)));
        return site.effects.iter().map(bytes).reduce(HeapType::one_of).unwrap_or(HeapType::Unknown);
    }
    if site.is_in_wrapper || site.effects.iter().any(|effect| effect.behind != Behind::Nothing) {
        return HeapType::Unknown;
    }
    let numbers = uses.numbers(file, &site.sinks).into_iter().map(HeapType::ArrayOf);
    numbers.reduce(HeapType::one_of).unwrap_or(HeapType::Unknown)
}

/// Whether a row of a table would hold what the table does: `char ***p = calloc_2d (n, m, sizeof (*p))` is one dereference short.
fn is_row_of_itself(site: &Site, ty: &HeapType, result: &[Sink]) -> bool {
    let is_within = site.effects.iter().any(|effect| effect.gives == Gives::Within);
    is_within
        && result
            .iter()
            .any(|sink| matches!(sink, Sink::Pointer(TypeRef::Pointer(to)) if ty.first() == Some(to)))
}

/// Whether a block without a type ends as text does, and nothing else is kept in it.
fn is_text(site: &Site) -> bool {
    let is_other = site.is_in_wrapper || site.sinks.contains(&Sink::Carved);
    !is_other && site.effects.iter().all(|effect| effect.is_ended)
}

/// Whether the first that keeps a block is a pointer to void: one to characters that gets it later is how some function sees it.
fn is_kept_untyped(sinks: &[Sink]) -> bool {
    let first = sinks.iter().find_map(|sink| match sink {
        Sink::Pointer(TypeRef::Pointer(to)) => Some(**to == TypeRef::Void),
        Sink::Kept(_) | Sink::Lost => Some(true),
        _ => None,
    });
    first == Some(true)
}

/// `char *`, `char **` and so on.
fn leads_to_characters(ty: &TypeRef) -> bool {
    matches!(ty, TypeRef::Pointer(to) if is_character(to) || leads_to_characters(to))
}

/// `void *`, `void **` and so on.
fn is_pointer_to_anything(ty: &TypeRef) -> bool {
    match ty {
        TypeRef::Pointer(to) => **to == TypeRef::Void || is_pointer_to_anything(to),
        _ => false,
    }
}

struct Finding {
    ty: HeapType,
    evidence: Evidence,
    retypes: bool,
}

impl Finding {
    const NOTHING: Finding = Finding { ty: HeapType::Unknown, evidence: Evidence::None, retypes: false };
}

/// What a site allocates, in a function that is for anything or not: one of several things, if it calls functions that differ in what they do.
fn find(file: usize, site: &Site, is_generic: bool, helpers: &Helpers, aggregates: &Aggregates) -> Finding {
    let findings = site
        .effects
        .iter()
        .map(|effect| find_one(file, effect, &site.sinks, is_generic, helpers, aggregates));
    let both = |one: Finding, other: Finding| Finding {
        ty: HeapType::one_of(one.ty, other.ty),
        evidence: one.evidence.least(other.evidence),
        retypes: one.retypes && other.retypes,
    };
    let found = findings.reduce(both).unwrap_or(Finding::NOTHING);
    if found.ty == HeapType::Unknown { Finding { evidence: Evidence::None, ..found } } else { found }
}

fn find_one(
    file: usize,
    effect: &Effect,
    sinks: &[Sink],
    is_generic: bool,
    helpers: &Helpers,
    aggregates: &Aggregates,
) -> Finding {
    if effect.kind == Kind::Text {
        // `strdup` returns what its type says: a `char *`.
        return Finding {
            ty: HeapType::ArrayOf(TypeRef::Base(CHAR)),
            evidence: Evidence::Receiver,
            retypes: false,
        };
    }
    let branches = helpers.sums(file, &effect.size);
    let is_named = branches.iter().any(sums::names_type);
    let is_other = |ty: &TypeRef| is_link(ty, effect, sinks) || (!is_named && is_view(ty, sinks));
    let mut receiver = receiver(sinks).filter(|ty| !is_other(ty));
    let is_behind = effect.behind != Behind::Nothing;
    let context = Context { aggregates, receiver: receiver.as_ref(), is_behind };
    let (mut size, is_mixed) = match shape::of_branches(&branches, &context) {
        Some(Shape::Holds(ty)) => (Some(ty), false),
        Some(Shape::Mixed) => (None, true),
        None => (None, false),
    };
    if let (Some(HeapType::ArrayOf(TypeRef::Pointer(sized))), Some(to)) = (&size, &receiver)
        && is_slip(sized, to, sinks)
    {
        let may_be_pointers = is_character(to) && !counts_text(&effect.size);
        receiver = receiver.filter(|_| !may_be_pointers);
        size = may_be_pointers.then_some(HeapType::Unknown);
    }
    // A branch of which nothing is known may be of anything, unless the receiver says the same as the other ones.
    let is_first = |size: &HeapType| size.first().is_some() && size.first() == receiver.as_ref();
    if branches.iter().any(sums::is_untyped) && size.as_ref().is_some_and(|size| !is_first(size)) {
        size = Some(HeapType::Unknown);
        receiver = receiver.filter(is_record);
    }
    // `char **rows = malloc (n * sizeof (void *))` has rows of what the callers know.
    if is_generic && matches!(&size, Some(HeapType::ArrayOf(of)) if is_pointer_to_anything(of)) {
        receiver = receiver.filter(|to| !leads_to_characters(to));
    }
    let retypes = effect.kind == Kind::Resize && size.as_ref().is_some_and(|size| *size != HeapType::Unknown);
    let (ty, evidence) = if is_mixed {
        first_of_several(receiver, &branches)
    } else {
        decide(size, receiver, shape::is_text(&branches), aggregates)
    };
    let ty = in_block(&effect.behind, ty);
    let evidence =
        if evidence == Evidence::None && ty != HeapType::Unknown { Evidence::Sizeof } else { evidence };
    Finding { ty, evidence, retypes }
}

/// What a block holds that is several arrays behind each other: one of what the receiving pointer points to, if the size names
/// that, and then bytes, for nobody knows where the second array begins.
fn first_of_several(receiver: Option<TypeRef>, branches: &[Sum]) -> (HeapType, Evidence) {
    let names = |sum: &Sum, ty: &TypeRef| {
        sum.iter().any(|term| matches!(&term.unit, Unit::Sizeof(sized) if sized == ty))
    };
    match receiver.filter(|ty| !is_character(ty) && branches.iter().all(|sum| names(sum, ty))) {
        Some(first) => {
            let (head, element) = (Head::Whole(first), TypeRef::Base(UCHAR));
            (HeapType::Sequence { before: Vec::new(), head, element }, Evidence::Both)
        }
        None => (HeapType::Unknown, Evidence::None),
    }
}

/// What a block holds whose caller gets this, behind what its wrappers keep.
fn in_block(behind_what: &Behind, ty: HeapType) -> HeapType {
    match behind_what {
        Behind::Nothing => ty,
        Behind::Parts(parts) => parts.iter().rev().fold(ty, |ty, part| match part {
            SizeExpr::Sizeof(header) => behind(header, ty),
            SizeExpr::OffsetOf(of, member) => behind_member(of, member, ty),
            _ => HeapType::Unknown,
        }),
        Behind::Something => HeapType::Unknown,
    }
}

/// What a block holds whose wrapper keeps something in front of what its caller gets.
fn behind(header: &TypeRef, ty: HeapType) -> HeapType {
    match ty {
        // The size names the header.
        ty if ty.first() == Some(header) => ty,
        HeapType::ArrayOf(element) | HeapType::Flexible(element) => {
            HeapType::Sequence { before: Vec::new(), head: Head::Whole(header.clone()), element }
        }
        HeapType::Sequence { mut before, head, element } => {
            before.insert(0, header.clone());
            HeapType::Sequence { before, head, element }
        }
        HeapType::OneOf(types) => HeapType::OneOf(types.into_iter().map(|ty| behind(header, ty)).collect()),
        HeapType::Unknown if is_record(header) => HeapType::Sequence {
            before: Vec::new(),
            head: Head::Whole(header.clone()),
            element: TypeRef::Base(UCHAR),
        },
        HeapType::Unknown => HeapType::Unknown,
    }
}

/// What a block holds whose wrapper gives its caller the place of this member.
fn behind_member(of: &TypeRef, member: &str, ty: HeapType) -> HeapType {
    match ty {
        ty if ty.first() == Some(of) => ty,
        HeapType::ArrayOf(element) | HeapType::Flexible(element) => HeapType::Sequence {
            before: Vec::new(),
            head: Head::UpTo(of.clone(), member.to_owned()),
            element,
        },
        HeapType::Sequence { .. } | HeapType::OneOf(_) | HeapType::Unknown => HeapType::Unknown,
    }
}

/// What the first pointer that gets a block points to.
fn first_pointee(sinks: &[Sink]) -> Option<&TypeRef> {
    sinks.iter().find_map(|sink| match sink {
        Sink::Pointer(TypeRef::Pointer(to)) => Some(&**to),
        _ => None,
    })
}

/// Whether what a pointer to a block of a number of things of some size, neither of which is constant, points to may be what links the
/// free ones of them: a struct if a pointer to void keeps the block first, or a pointer.
fn is_link(to: &TypeRef, effect: &Effect, sinks: &[Sink]) -> bool {
    let is_pool = match to {
        TypeRef::Pointer(_) => effect.size.is_product_of_variables(),
        to => is_record(to) && first_pointee(sinks) == Some(&TypeRef::Void) && effect.size.is_product(),
    };
    is_pool && !effect.mentions_type()
}

/// Whether a struct is how a pointer to characters, which keeps a block first, sees its start, and sees something else further on.
fn is_view(to: &TypeRef, sinks: &[Sink]) -> bool {
    let is_other = |sink: &Sink| matches!(sink, Sink::Part(TypeRef::Pointer(part)) if **part != *to);
    is_record(to) && first_pointee(sinks).is_some_and(is_character) && sinks.iter().any(is_other)
}

/// Whether the size of a pointer to this stands for the size of what the receiving pointer points to: `int *p = malloc (n * sizeof (p))`,
/// and nothing else says that pointers are kept. Other pointers than to characters are left to a pointer to characters: it may be there
/// for arithmetic.
fn is_slip(sized: &TypeRef, to: &TypeRef, sinks: &[Sink]) -> bool {
    let keeps_pointers =
        |sink: &Sink| matches!(sink, Sink::Pointer(TypeRef::Pointer(to)) if leads_to_pointers(to));
    let is_scalar = !is_record(to) && !leads_to_pointers(to);
    is_scalar
        && (!is_character(to) || is_character(sized))
        && !is_kept_untyped(sinks)
        && !sinks.iter().any(keeps_pointers)
}

/// Whether something is a pointer or an array of pointers.
fn leads_to_pointers(ty: &TypeRef) -> bool {
    match ty {
        TypeRef::Pointer(_) => true,
        TypeRef::Array(element, _) => leads_to_pointers(element),
        _ => false,
    }
}

/// Whether the length of a string takes part in a size.
fn counts_text(size: &SizeExpr) -> bool {
    leaves(size).iter().any(|leaf| matches!(leaf, SizeExpr::StringLength))
}

/// Whether something is a number or a pointer.
fn is_word(ty: &TypeRef) -> bool {
    matches!(ty, TypeRef::Base(_) | TypeRef::Pointer(_)) && !is_character(ty)
}

/// What the receiving pointers point to: a struct if there is one, else the first.
pub(super) fn receiver(sinks: &[Sink]) -> Option<TypeRef> {
    let pointees = || {
        sinks.iter().filter_map(|sink| match sink {
            Sink::Pointer(TypeRef::Pointer(to)) if is_complete(to) => Some(&**to),
            _ => None,
        })
    };
    pointees().find(|ty| is_record(ty)).or_else(|| pointees().next()).cloned()
}

/// sizeof of a struct, then the receiver's struct, then sizeof of a scalar or pointer of another size, then any receiver, then a string's
/// length.
fn decide(
    size: Option<HeapType>,
    receiver: Option<TypeRef>,
    is_text: bool,
    aggregates: &Aggregates,
) -> (HeapType, Evidence) {
    match (size, receiver) {
        // Words are what a size is counted in behind a member of the receiver's struct that is no array of open length.
        (Some(HeapType::Sequence { before, head: Head::UpTo(of, _), element }), Some(receiver))
            if of == receiver
                && is_word(&element)
                && aggregates.pointed_to(of.clone()) == HeapType::ArrayOf(of.clone()) =>
        {
            let element = TypeRef::Base(UCHAR);
            (HeapType::Sequence { before, head: Head::Whole(of), element }, Evidence::Both)
        }
        (Some(size), Some(receiver)) if size.starts_with(&receiver) => (size, Evidence::Both),
        // `T **p = malloc (n * sizeof (T))` is one dereference short.
        (Some(HeapType::ArrayOf(size)), Some(TypeRef::Pointer(to))) if size == *to => {
            (HeapType::ArrayOf(TypeRef::Pointer(to)), Evidence::Receiver)
        }
        // `n * sizeof (E) + sizeof (H)` may have its header at the end.
        (Some(HeapType::Sequence { before, head: Head::Whole(_), element }), Some(receiver))
            if before.is_empty() && element == receiver && !is_character(&receiver) =>
        {
            (HeapType::ArrayOf(receiver), Evidence::Both)
        }
        (Some(size), _) if size.has_record() => (size, Evidence::Sizeof),
        (Some(_), Some(receiver)) if is_record(&receiver) => {
            (aggregates.pointed_to(receiver), Evidence::Receiver)
        }
        // All pointers have one size: programs write `sizeof (void *)` for any, and keep any in a `void **`.
        (Some(HeapType::ArrayOf(TypeRef::Pointer(_))), Some(TypeRef::Pointer(to)))
            if *to != TypeRef::Void =>
        {
            (HeapType::ArrayOf(TypeRef::Pointer(to)), Evidence::Receiver)
        }
        // `uint32_t *p = malloc (n * sizeof (int32_t))`: the size is right for both, and what is kept is what `p` points to.
        (Some(HeapType::ArrayOf(TypeRef::Base(sized))), Some(TypeRef::Base(pointed)))
            if sized.size == pointed.size =>
        {
            (HeapType::ArrayOf(TypeRef::Base(pointed)), Evidence::Receiver)
        }
        (Some(HeapType::Unknown), Some(receiver)) => (aggregates.pointed_to(receiver), Evidence::Receiver),
        (Some(HeapType::Unknown), None) => (HeapType::Unknown, Evidence::None),
        (Some(size), _) => (size, Evidence::Sizeof),
        (None, Some(receiver)) => (aggregates.pointed_to(receiver), Evidence::Receiver),
        (None, None) if is_text => (HeapType::ArrayOf(TypeRef::Base(CHAR)), Evidence::Sizeof),
        (None, None) => (HeapType::Unknown, Evidence::None),
    }
}
