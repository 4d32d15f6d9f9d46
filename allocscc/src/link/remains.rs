//! What is left of the copies of a function's body: the code that compilers inlined, and made dead with what they knew there.

use rustc_hash::{FxHashMap, FxHashSet};

use super::matching::basename;
use crate::dwarf::lines::{ContextIndex, LineIndex};
use crate::sites::solve::SolvedSite;

/// What is left of each copy of functions.
pub(super) struct Remains<'a> {
    /// By context: the copy that it belongs to. A part that the compiler split off and inlined again belongs to the rest.
    copies: Vec<ContextIndex>,
    /// The copies that are inlined.
    inlined: FxHashSet<ContextIndex>,
    /// The copies that have code.
    with_code: FxHashSet<ContextIndex>,
    /// The base names of files and the lines that the code of copies has.
    lines: FxHashMap<ContextIndex, FxHashSet<(&'a str, u32)>>,
}

impl<'a> Remains<'a> {
    /// Of the functions that are `wanted`.
    pub(super) fn new(lines: &'a LineIndex, wanted: impl Fn(&str) -> bool) -> Self {
        let mut remains = Remains {
            copies: Vec::new(),
            inlined: FxHashSet::default(),
            with_code: FxHashSet::default(),
            lines: FxHashMap::default(),
        };
        let mut functions: Vec<&str> = Vec::new();
        for (context, function, _) in lines.contexts() {
            functions.push(function);
            let caller = lines.caller_of(context);
            let rest = caller.filter(|caller| functions[caller.number()] == function);
            let copy = rest.map_or(context, |caller| remains.copies[caller.number()]);
            remains.copies.push(copy);
            if copy == context && caller.is_some() {
                remains.inlined.insert(copy);
            }
        }
        for innermost in lines.contexts_with_code() {
            let outwards = std::iter::successors(Some(innermost), |&context| lines.caller_of(context));
            for context in outwards {
                if !remains.with_code.insert(context) {
                    break;
                }
            }
        }
        for (context, file, line) in lines.places() {
            if wanted(functions[context.number()]) {
                let copy = remains.copies[context.number()];
                remains.lines.entry(copy).or_default().insert((basename(file), line));
            }
        }
        remains
    }

    /// The copy that a context belongs to.
    pub(super) fn copy(&self, context: ContextIndex) -> ContextIndex {
        self.copies[context.number()]
    }

    /// Whether a copy is inlined, so that some of it may be dead that is not dead elsewhere.
    pub(super) fn is_inlined(&self, copy: ContextIndex) -> bool {
        self.inlined.contains(&copy)
    }

    /// Whether nothing at all is left of a copy.
    pub(super) fn is_gone(&self, copy: ContextIndex) -> bool {
        !self.with_code.contains(&copy)
    }

    /// Whether a copy has code of the lines of a site.
    pub(super) fn has(&self, copy: ContextIndex, site: &SolvedSite) -> bool {
        let file = basename(&site.place.file);
        let is_there = |lines: &FxHashSet<_>| {
            (site.first_line..=site.last_line).any(|line| lines.contains(&(file, line)))
        };
        self.lines.get(&copy).is_some_and(is_there)
    }
}
