//! Which call instruction of the linked file is which allocation site of the source.
//!
//! The key is (unit, function, file, line, callee). The compiler's line table gives the line of a call as that of the callee's
//! name or of some other token of the call, so a site is a range of lines. Several sites can have one key (a macro that
//! expands to two calls), and then the instruction is each of them.

use rustc_hash::FxHashMap;

use crate::dwarf::units::UnitIndex;

/// What the source says of a site.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct SiteKey<'a> {
    /// The unit, where the debug information has it.
    pub(super) unit: Option<UnitIndex>,
    /// The function whose body holds the call.
    pub(super) function: &'a str,
    /// Source file, as the line markers spell it.
    pub(super) file: &'a str,
    /// First line of the expression that the call is in.
    pub(super) first_line: u32,
    /// Line of the callee's name.
    pub(super) callee_line: u32,
    /// Line of the closing parenthesis.
    pub(super) last_line: u32,
    /// The function called, as the source spells it; [`POINTER`] for a function pointer.
    pub(super) callee: &'a str,
}

/// What the debug information says of a call instruction: its innermost source function, inlined ones included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct CallPlace<'a> {
    /// The unit whose source has the function.
    pub(super) unit: Option<UnitIndex>,
    /// Function, without the suffixes of clones.
    pub(super) function: &'a str,
    /// Source file, as the line table spells it.
    pub(super) file: &'a str,
    /// Line.
    pub(super) line: u32,
    /// Symbol that is called, or [`POINTER`].
    pub(super) callee: &'a str,
}

/// In place of a name: a call through a function pointer.
pub(super) const POINTER: &str = "";

/// The sites of a link unit, by key.
pub(super) struct SiteIndex<'a> {
    /// (callee, basename) → sites.
    by_file: FxHashMap<(&'a str, &'a str), Vec<(usize, SiteKey<'a>)>>,
}

impl<'a> SiteIndex<'a> {
    /// An index of `sites`; the numbers that [`SiteIndex::find`] gives are places in this sequence.
    pub(super) fn new(sites: impl IntoIterator<Item = SiteKey<'a>>) -> Self {
        let mut by_file: FxHashMap<_, Vec<_>> = FxHashMap::default();
        for (number, site) in sites.into_iter().enumerate() {
            by_file.entry((plain_callee(site.callee), basename(site.file))).or_default().push((number, site));
        }
        SiteIndex { by_file }
    }

    /// The sites that the instruction may be; several only if they have one key.
    pub(super) fn find(&self, call: &CallPlace<'_>) -> Vec<usize> {
        let callee = plain_callee(call.callee);
        let found = self.find_spelt(callee, call);
        if !found.is_empty() {
            return found;
        }
        match callee {
            // The compiler turns malloc and memset of zero into calloc.
            "calloc" => self.find_either("malloc", call),
            // It turns realloc of NULL into malloc.
            "malloc" => self.find_either("realloc", call),
            _ => self.find_spelt(POINTER, call),
        }
    }

    /// The sites that call a function by this name, else those that call through a pointer: the compiler may know what it points to.
    fn find_either(&self, callee: &str, call: &CallPlace<'_>) -> Vec<usize> {
        let found = self.find_spelt(callee, call);
        if found.is_empty() { self.find_spelt(POINTER, call) } else { found }
    }

    fn find_spelt(&self, callee: &str, call: &CallPlace<'_>) -> Vec<usize> {
        let candidates = self.by_file.get(&(callee, basename(call.file))).map_or(&[][..], Vec::as_slice);
        let matching: Vec<_> = candidates
            .iter()
            .filter(|(_, s)| may_be_one(s.unit, call.unit))
            .filter(|(_, s)| s.function == call.function && (s.first_line..=s.last_line).contains(&call.line))
            .collect();
        // Two files of one basename, then a call inside another call's arguments: the closer one is meant.
        let same_path = keep_if_any(&matching, |s| s.file == call.file);
        let same_line = keep_if_any(&same_path, |s| s.callee_line == call.line);
        same_line.iter().map(|(number, _)| *number).collect()
    }
}

fn may_be_one(site: Option<UnitIndex>, call: Option<UnitIndex>) -> bool {
    site.zip(call).is_none_or(|(site, call)| site == call)
}

type Candidate<'c, 'a> = &'c (usize, SiteKey<'a>);

/// Those for which the condition holds, or all if it holds for none.
fn keep_if_any<'c, 'a>(
    sites: &[Candidate<'c, 'a>],
    condition: impl Fn(&SiteKey<'a>) -> bool,
) -> Vec<Candidate<'c, 'a>> {
    let kept: Vec<_> = sites.iter().copied().filter(|(_, s)| condition(s)).collect();
    if kept.is_empty() { sites.to_vec() } else { kept }
}

/// The name of an allocation function without the prefixes and suffixes by which compilers and libc headers call it:
/// `__builtin_malloc` is `malloc`, `__asprintf_chk` is `asprintf`, `__strdup` is `strdup`, `new.constprop.0` is `new`.
pub(super) fn plain_callee(name: &str) -> &str {
    let name = without_suffix(name);
    let name = name.strip_prefix("__builtin_").unwrap_or(name);
    match name.strip_prefix("__") {
        Some(inner) => inner.strip_suffix("_chk").unwrap_or(inner),
        None => name,
    }
}

/// The name of the function that a symbol is a clone or a part of: `new` of `new.constprop.0`.
pub(super) fn without_suffix(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

fn basename(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sites and the call as `[unit:]function file line[-last] callee`.
    fn check(sites: &[&str], call: &str, expected: &[usize]) {
        let sites: Vec<SiteKey<'_>> = sites
            .iter()
            .map(|s| {
                let (unit, function, file, first_line, last_line, callee) = parse(s);
                SiteKey { unit, function, file, first_line, callee_line: first_line, last_line, callee }
            })
            .collect();
        let (unit, function, file, line, _, callee) = parse(call);
        let found = SiteIndex::new(sites).find(&CallPlace { unit, function, file, line, callee });
        assert_eq!(found, expected, "{call}");
    }

    fn parse(s: &str) -> (Option<UnitIndex>, &str, &str, u32, u32, &str) {
        let (unit, s) =
            s.split_once(':').map_or((None, s), |(unit, s)| (unit.parse().ok().map(UnitIndex), s));
        let [function, file, lines, callee] = s.split(' ').collect::<Vec<_>>()[..] else { panic!("{s}") };
        let (first, last) = lines.split_once('-').unwrap_or((lines, lines));
        (unit, function, file, first.parse().unwrap(), last.parse().unwrap(), callee)
    }

    #[test]
    fn by_function_file_line_and_callee() {
        let sites =
            ["f a.c 3 malloc", "f a.c 4-6 malloc", "g a.c 3 malloc", "f b.c 3 malloc", "f a.c 3 calloc"];
        check(&sites, "f a.c 3 malloc", &[0]);
        check(&sites, "f ./a.c 3 malloc", &[0]);
        check(&sites, "f a.c 5 malloc", &[1]);
        check(&sites, "g a.c 3 malloc", &[2]);
        check(&sites, "f b.c 3 malloc", &[3]);
        check(&sites, "f a.c 3 calloc", &[4]);
        check(&sites, "f a.c 7 malloc", &[]);
        check(&sites, "h a.c 3 malloc", &[]);
    }

    #[test]
    fn two_units_of_one_source_name() {
        let sites = ["1:f util.c 3 malloc", "2:f util.c 3 malloc"];
        check(&sites, "2:f util.c 3 malloc", &[1]);
        check(&sites, "3:f util.c 3 malloc", &[]);
        check(&["f util.c 3 malloc"], "3:f util.c 3 malloc", &[0]);
    }

    #[test]
    fn two_files_of_one_name() {
        check(&["f x/a.c 3 malloc", "f y/a.c 3 malloc"], "f y/a.c 3 malloc", &[1]);
    }

    #[test]
    fn one_line_with_two_calls_is_both() {
        check(&["f a.c 3 malloc", "f a.c 3 malloc"], "f a.c 3 malloc", &[0, 1]);
    }

    #[test]
    fn a_call_in_anothers_arguments() {
        check(&["f a.c 3-5 realloc", "f a.c 4 realloc"], "f a.c 4 realloc", &[1]);
    }

    #[test]
    fn other_spellings_of_the_callee() {
        check(&["f a.c 3 __builtin_malloc"], "f a.c 3 malloc", &[0]);
        check(&["f a.c 3 asprintf"], "f a.c 3 __asprintf_chk", &[0]);
        check(&["f a.c 3 strdup"], "f a.c 3 __strdup", &[0]);
        check(&["f a.c 3 malloc"], "f a.c 3 calloc", &[0]);
        check(&["f a.c 3 realloc"], "f a.c 3 malloc", &[0]);
        check(&["f a.c 3 calloc"], "f a.c 3 malloc", &[]);
    }
}
