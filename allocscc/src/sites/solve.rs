//! The type of each allocation site, from the facts of all files of a link.

use allocs_metadata::Evidence;

use super::facts::{Call, Callee, FileFacts, Place, Sink, SizeExpr, TypeRef};
use super::functions::{Allocation, DeclaredFunctions, Gives, Kind};
use super::heap_type::{HeapType, is_complete, is_record};
use super::shape::{self, Aggregates};
use super::sums::Helpers;
use crate::c::types::CHAR;

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
    /// The function that is called.
    pub callee: String,
    /// What a new block of this site holds.
    pub ty: HeapType,
    /// How that is known.
    pub evidence: Evidence,
    /// It is proved to be a buffer of characters or bytes.
    pub is_buffer: bool,
    /// A block that this site resizes gets the site's type too.
    pub retypes: bool,
}

/// The direct allocation sites of all files.
#[must_use]
pub fn solve(files: &[FileFacts], declared: &DeclaredFunctions) -> Vec<SolvedSite> {
    let helpers = Helpers::new(files);
    let mut sites = Vec::new();
    for (file, facts) in files.iter().enumerate() {
        let aggregates = Aggregates::new(facts);
        for call in &facts.calls {
            let Callee::Direct(callee) = &call.callee else { continue };
            let Some(allocation) = declared.find(callee) else { continue };
            let finding = find(file, call, &allocation, &helpers, &aggregates);
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
                callee: callee.clone(),
                is_buffer: finding.ty.is_buffer(),
                ty: finding.ty,
                evidence: finding.evidence,
                retypes: finding.retypes,
            });
        }
    }
    sites
}

struct Finding {
    ty: HeapType,
    evidence: Evidence,
    retypes: bool,
}

fn find(
    file: usize,
    call: &Call,
    allocation: &Allocation,
    helpers: &Helpers,
    aggregates: &Aggregates,
) -> Finding {
    if allocation.kind == Kind::Text {
        // `strdup` returns what its type says: a `char *`.
        return Finding {
            ty: HeapType::ArrayOf(TypeRef::Base(CHAR)),
            evidence: Evidence::Receiver,
            retypes: false,
        };
    }
    let branches = helpers.sums(file, &size_of(call, allocation));
    let size = shape::of_branches(&branches, aggregates);
    let receiver = receiver(call, allocation);
    let retypes = allocation.kind == Kind::Resize && size.is_some();
    let (ty, evidence) = decide(size, receiver, shape::is_text(&branches));
    Finding { ty, evidence, retypes }
}

/// The product of the arguments that say how much is allocated.
fn size_of(call: &Call, allocation: &Allocation) -> SizeExpr {
    let arguments = allocation.sizes.iter().filter_map(|&index| call.arguments.get(index as usize));
    let product = arguments.cloned().reduce(|left, right| SizeExpr::Mul(Box::new(left), Box::new(right)));
    product.unwrap_or(SizeExpr::Opaque)
}

/// What the receiving pointers point to: a struct if there is one, else the first.
fn receiver(call: &Call, allocation: &Allocation) -> Option<TypeRef> {
    let sinks = match allocation.gives {
        Gives::Result => call.sinks.as_slice(),
        Gives::Output(argument) => {
            call.outputs.iter().find(|output| output.0 == argument).map_or(&[][..], |output| &output.1)
        }
    };
    let pointees = || {
        sinks.iter().filter_map(|sink| match sink {
            Sink::Pointer(TypeRef::Pointer(to)) if is_complete(to) => Some(&**to),
            _ => None,
        })
    };
    pointees().find(|ty| is_record(ty)).or_else(|| pointees().next()).cloned()
}

/// sizeof of a struct, then the receiver's struct, then sizeof of a scalar or pointer, then any receiver, then a string's
/// length.
fn decide(size: Option<HeapType>, receiver: Option<TypeRef>, is_text: bool) -> (HeapType, Evidence) {
    match (size, receiver) {
        (Some(size), Some(receiver)) if size.first() == Some(&receiver) => (size, Evidence::Both),
        (Some(size), _) if size.has_record() => (size, Evidence::Sizeof),
        (Some(_), Some(receiver)) if is_record(&receiver) => {
            (HeapType::ArrayOf(receiver), Evidence::Receiver)
        }
        // All pointers have one size: programs write `sizeof (void *)` for any, and keep any in a `void **`.
        (Some(HeapType::ArrayOf(TypeRef::Pointer(_))), Some(TypeRef::Pointer(to)))
            if *to != TypeRef::Void =>
        {
            (HeapType::ArrayOf(TypeRef::Pointer(to)), Evidence::Receiver)
        }
        (Some(HeapType::Unknown), Some(receiver)) => (HeapType::ArrayOf(receiver), Evidence::Receiver),
        (Some(HeapType::Unknown), None) => (HeapType::Unknown, Evidence::None),
        (Some(size), _) => (size, Evidence::Sizeof),
        (None, Some(receiver)) => (HeapType::ArrayOf(receiver), Evidence::Receiver),
        (None, None) if is_text => (HeapType::ArrayOf(TypeRef::Base(CHAR)), Evidence::Sizeof),
        (None, None) => (HeapType::Unknown, Evidence::None),
    }
}
