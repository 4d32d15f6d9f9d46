//! Why the type of a site is not known.

use super::Reason;
use crate::sites::effect::Effect;
use crate::sites::facts::{FileFacts, Sink, SizeExpr, TypeRef};
use crate::sites::functions::Kind;
use crate::sites::heap_type::{HeapType, is_complete};
use crate::sites::shape::{self, Aggregates, Context, Shape};
use crate::sites::solve::receiver;
use crate::sites::spelling;
use crate::sites::sums::{self, Helpers, Sum};
use crate::sites::targets::Target;
use crate::sites::wrappers::Site;

/// Functions that many blocks of any type are passed to; that they have no source explains nothing.
const FOR_ANY: [&str; 8] =
    ["free", "memset", "memcpy", "memmove", "memcmp", "__memset_chk", "__memcpy_chk", "__memmove_chk"];
/// The most names in a detail.
const MOST_NAMES: usize = 8;

/// Why nothing is known of what a site allocates, and what more there is to say of that. `has_source` says of which functions
/// the facts tell something.
pub(super) fn reason(
    files: &[FileFacts],
    file: usize,
    site: &Site,
    helpers: &Helpers,
    aggregates: &Aggregates,
    has_source: &impl Fn(&str) -> bool,
) -> (Reason, String) {
    if site.is_in_wrapper {
        return (Reason::ForCaller, String::new());
    }
    if site.is_open() {
        return (Reason::Pointer, target_names(files, &site.targets));
    }
    let differ = site.effects.len() > 1 || site.effects.iter().any(|effect| is_of_many(&effect.size));
    if site.targets.len() > 1 && differ {
        return (Reason::Pointer, target_names(files, &site.targets));
    }
    let known = |effect: &&Effect| effect.kind != Kind::Text;
    let branches: Vec<Sum> =
        site.effects.iter().filter(known).flat_map(|effect| helpers.sums(file, &effect.size)).collect();
    let receiver = receiver(&site.sinks);
    let context = Context { aggregates, receiver: receiver.as_ref(), is_behind: false };
    match shape::of_branches(&branches, &context) {
        Some(Shape::Mixed) => return (Reason::TwoArrays, String::new()),
        Some(Shape::Holds(HeapType::Unknown)) => return (Reason::Branches, String::new()),
        Some(Shape::Holds(named)) if branches.iter().any(sums::is_untyped) => {
            return (Reason::Branch, spelling::heap_type(&named));
        }
        _ => {}
    }
    of_sinks(&site.sinks, has_source)
}

fn of_sinks(sinks: &[Sink], has_source: &impl Fn(&str) -> bool) -> (Reason, String) {
    let declared_only = sinks.iter().find_map(|sink| match sink {
        Sink::Pointer(ty @ TypeRef::Pointer(to)) if !is_complete(to) && **to != TypeRef::Void => Some(ty),
        _ => None,
    });
    if let Some(ty) = declared_only {
        return (Reason::Incomplete, spelling::c_type(ty));
    }
    let passed_to = sinks.iter().find_map(|sink| match sink {
        Sink::Argument(name, _) if !FOR_ANY.contains(&&**name) && !has_source(name) => Some(name),
        _ => None,
    });
    passed_to.map_or((Reason::NoSizeof, String::new()), |name| (Reason::PassedOn, name.clone()))
}

/// Whether a size is one of several.
fn is_of_many(size: &SizeExpr) -> bool {
    matches!(size, SizeExpr::Alt(parts) if parts.len() > 1)
}

/// The names of the functions that a call may reach, in alphabetical order.
pub(super) fn target_names(files: &[FileFacts], targets: &[Target]) -> String {
    let mut names: Vec<&str> = targets
        .iter()
        .filter_map(|target| match target {
            Target::Own((file, function)) => {
                Some(files.get(*file)?.functions.get(*function as usize)?.name.as_str())
            }
            Target::Known(name) | Target::Imported(name) => Some(name),
            Target::Any => None,
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    let more = names.len() > MOST_NAMES;
    names.truncate(MOST_NAMES);
    if targets.contains(&Target::Any) {
        names.push("what is stored through its address");
    }
    names.join(", ") + if more { ", ..." } else { "" }
}
