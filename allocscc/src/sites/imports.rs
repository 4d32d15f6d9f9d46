//! What a link unit calls in other files, and what is expected of it there.
//!
//! The signatures of functions in the libraries that were linked are facts as good as those of the sources. A function that nothing
//! defines, as in a plug-in whose program will have it, is only *assumed* to return a plain block: where exactly one argument
//! names a type, of that size, else of any. In both cases the expectation goes into the metadata, and what is said of the call counts
//! only where the function that is reached at last is as expected.

use rustc_hash::{FxHashMap, FxHashSet};

use super::effect::{Effect, leaves};
use super::facts::{Behind, Call, Function, Sink, SizeExpr, TypeRef};
use super::functions::{Gives, Kind};
use super::signature::Signature;

/// The functions of other files.
#[derive(Clone, Default, Debug)]
pub struct Imports {
    /// What those that allocate for their callers do.
    pub wrappers: FxHashMap<String, Signature>,
    /// Those that no file defines yet.
    pub undefined: FxHashSet<String>,
}

/// What a function of another file must be, lest what is said of a call is wrong.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Requirement {
    /// The function's name.
    pub function: String,
    /// What is expected of it.
    pub expected: Expected,
}

/// What is expected of a function.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Expected {
    /// The signature with this digest.
    Signature(u64),
    /// A plain block whose size is this parameter.
    SizeIs(u32),
    /// A plain block whose size is a product with this parameter in it.
    SizeHas(u32),
    /// A plain block.
    Plain,
}

/// What a call of an undefined function allocates, if the function is as expected. `None` where nothing could be said of the block.
pub(super) fn assumed(function: &Function, call: &Call, has_receiver: bool) -> Option<(Effect, Expected)> {
    let those = |is_one: &dyn Fn(&SizeExpr) -> bool| -> Vec<u32> {
        (0..).zip(&call.arguments).filter(|(_, argument)| is_one(argument)).map(|(index, _)| index).collect()
    };
    let typed = those(&names_type);
    let variable = those(&|argument| depends_on_number(argument, function));
    let (size, expected) = match (typed.as_slice(), variable.as_slice()) {
        (&[index], _) => {
            let size = call.arguments.get(index as usize)?;
            let is_array = is_product(size);
            (size.clone(), if is_array { Expected::SizeHas(index) } else { Expected::SizeIs(index) })
        }
        ([], &[index]) => (call.arguments.get(index as usize)?.clone(), Expected::SizeIs(index)),
        ([], []) if has_receiver => (SizeExpr::Opaque, Expected::Plain),
        _ => return None,
    };
    // A block that it resized gets a type only from what says one, as a fresh one does.
    Some((
        Effect { size, kind: Kind::Resize, gives: Gives::Result, behind: Behind::Nothing, is_ended: false },
        expected,
    ))
}

/// Whether some pointer says what a block holds.
pub(super) fn says_type(sinks: &[Sink]) -> bool {
    sinks.iter().any(|sink| matches!(sink, Sink::Pointer(TypeRef::Pointer(to)) if **to != TypeRef::Void))
}

fn names_type(size: &SizeExpr) -> bool {
    leaves(size)
        .iter()
        .any(|leaf| matches!(leaf, SizeExpr::Sizeof(_) | SizeExpr::OffsetOf(..) | SizeExpr::StringLength))
}

/// Whether a parameter that is no pointer says how much it is.
fn depends_on_number(size: &SizeExpr, function: &Function) -> bool {
    let is_pointer =
        |index: &u32| matches!(function.parameters.get(*index as usize), Some(TypeRef::Pointer(_)));
    leaves(size).iter().any(|leaf| matches!(leaf, SizeExpr::Param(index) if !is_pointer(index)))
}

/// Whether a size is `n * sizeof (T)`, so that more factors change nothing.
fn is_product(size: &SizeExpr) -> bool {
    match size {
        SizeExpr::Mul(left, right) => is_product(left) && is_product(right),
        SizeExpr::Sizeof(_) | SizeExpr::Const(_) | SizeExpr::Param(_) | SizeExpr::Opaque => true,
        _ => false,
    }
}
