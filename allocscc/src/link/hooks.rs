//! The functions of the file that are a heap's of its own, as the library is to hook them: those of declared pools, and a `malloc` whose
//! calls no other file can come by.

use allocs_metadata::{Heap, HookAction, HookRecord};
use object::read::elf::ElfFile64;
use object::{Object, ObjectSymbol, SymbolKind};
use rustc_hash::{FxHashMap, FxHashSet};

use super::matching::without_suffix;
use crate::dwarf::parameters;
use crate::dwarf::units::Units;
use crate::emit::HookInput;
use crate::image::branches::{Branch, Branches, jumped_to};
use crate::image::calls::Svma;
use crate::image::dynamic;
use crate::image::entry::displaced;
use crate::image::function_code::FunctionCode;
use crate::sites::functions::{DeclaredFunctions, HeapFunction, own_malloc};

/// A symbol that may be hooked.
struct Candidate<'a> {
    symbol: &'a str,
    entry: Svma,
    heap: Heap,
    function: HeapFunction,
    /// Other files may call it, so that it gets its arguments as the calling convention says.
    is_shared: bool,
}

/// The functions to hook. `warn` is told which ones cannot be, and why.
pub(super) fn find(
    file: &ElfFile64<'_>,
    units: &Units<'_>,
    declared: &DeclaredFunctions,
    warn: impl Fn(String),
) -> Vec<HookInput> {
    let candidates = candidates(file, declared);
    warn_of_missing(declared, &candidates, &warn);
    if candidates.is_empty() {
        return Vec::new();
    }
    let branches = match Branches::of(file) {
        Ok(branches) => branches,
        Err(reason) => {
            warn(format!("no heap of its own is seen: {reason:#}"));
            return Vec::new();
        }
    };
    let jumps: FxHashSet<u64> = jumped_to(branches.all.iter().copied()).into_iter().collect();
    let code = FunctionCode::of(file);
    let mut hooks = Vec::new();
    for candidate in candidates {
        match hook(&candidate, &code, &jumps, units) {
            Ok(hook) => hooks.push(hook),
            Err(reason) => warn(format!("calls of {} are not seen: {reason}", candidate.symbol)),
        }
    }
    hooks
}

/// The function symbols that are wanted, each address once.
fn candidates<'a>(file: &'a ElfFile64<'_>, declared: &DeclaredFunctions) -> Vec<Candidate<'a>> {
    let exported: FxHashSet<Svma> = dynamic::exported_functions(file).map(|(_, svma)| svma).collect();
    let is_program = dynamic::is_program(file);
    // Where nothing is linked dynamically, the library is not there.
    let is_dynamic = file.dynamic_symbols().next().is_some();
    let mut by_entry: FxHashMap<Svma, Candidate<'a>> = FxHashMap::default();
    for symbol in file.symbols().chain(file.dynamic_symbols()) {
        if symbol.kind() != SymbolKind::Text || !symbol.is_definition() {
            continue;
        }
        let Ok(name) = symbol.name() else { continue };
        let name = name.split('@').next().unwrap_or(name);
        let plain = without_suffix(name);
        // What was taken out of a function is not called as it is.
        let is_piece = name.split('.').skip(1).any(|suffix| matches!(suffix, "cold" | "part"));
        let entry = Svma(symbol.address());
        let of_pool = declared.pool(plain).map(|function| (Heap::Small, function));
        // A library's malloc that is exported comes behind ours.
        let is_out_of_reach = is_program || (is_dynamic && !exported.contains(&entry));
        let own = || own_malloc(plain).filter(|_| is_out_of_reach).map(|function| (Heap::Malloc, function));
        let Some((heap, function)) = of_pool.or_else(own).filter(|_| !is_piece) else { continue };
        let is_shared = !symbol.is_local() && plain.len() == name.len();
        let candidate = Candidate { symbol: name, entry, heap, function, is_shared };
        let known = by_entry.entry(entry).or_insert(candidate);
        known.is_shared |= is_shared;
    }
    let mut candidates: Vec<Candidate<'a>> = by_entry.into_values().collect();
    // Who only frees has no heap.
    let has_malloc =
        candidates.iter().any(|it| it.heap == Heap::Malloc && it.function.action != HookAction::Free);
    candidates.retain(|it| it.heap == Heap::Small || has_malloc);
    candidates.sort_unstable_by_key(|it| it.entry);
    candidates
}

fn warn_of_missing(declared: &DeclaredFunctions, candidates: &[Candidate<'_>], warn: impl Fn(String)) {
    for name in declared.pools() {
        if !candidates.iter().any(|it| without_suffix(it.symbol) == name) {
            warn(format!(
                "calls of {name} are not seen: there is no such function, or it is inlined everywhere"
            ));
        }
    }
}

fn hook(
    candidate: &Candidate<'_>,
    code: &FunctionCode<'_>,
    jumps: &FxHashSet<u64>,
    units: &Units<'_>,
) -> Result<HookInput, String> {
    let entry = candidate.entry;
    let function = if candidate.is_shared {
        candidate.function
    } else {
        let arguments = parameters::arguments_of(units, entry.0).map_err(|reason| reason.to_string())?;
        arrived(candidate.function, &arguments.ok_or("no debug information says what arguments it takes")?)?
    };
    let body = code.around(entry).filter(|body| body.start == entry).ok_or("it has no code")?;
    let own: FxHashSet<u64> =
        jumped_to(body.instructions_from(entry).filter_map(|it| Branch::of(&it))).into_iter().collect();
    // A jump to the entry from elsewhere is a call.
    let is_jumped_to = |svma: u64| if svma == entry.0 { own.contains(&svma) } else { jumps.contains(&svma) };
    let displaced = displaced(entry, body.bytes(), is_jumped_to).map_err(|refusal| refusal.to_string())?;
    Ok(HookInput { name: candidate.symbol.to_owned(), heap: candidate.heap, function, displaced })
}

/// The function with the arguments where they are. `arguments` has for each parameter of the source the argument that it came to be.
fn arrived(function: HeapFunction, arguments: &[Option<u8>]) -> Result<HeapFunction, String> {
    let argument = |parameter: u8| {
        let gone = || format!("the compiler does not pass its parameter {} any more", parameter + 1);
        arguments.get(usize::from(parameter)).copied().flatten().ok_or_else(gone)
    };
    let mut sizes = 0;
    for parameter in (0..u8::BITS as u8).filter(|parameter| function.sizes & 1 << parameter != 0) {
        sizes |= 1 << argument(parameter)?;
    }
    let block = if function.action == HookAction::Allocate { 0 } else { argument(function.block)? };
    let output = match function.output {
        HookRecord::RETURNS => HookRecord::RETURNS,
        output => argument(output)?,
    };
    Ok(HeapFunction { sizes, block, output, ..function })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_where_the_compiler_passes_them() {
        let grow = HeapFunction {
            action: HookAction::Reallocate,
            sizes: 0b100,
            block: 1,
            output: HookRecord::RETURNS,
        };
        assert_eq!(arrived(grow, &[Some(0), Some(1), Some(2)]), Ok(grow));
        let moved = HeapFunction { sizes: 0b10, block: 0, ..grow };
        assert_eq!(arrived(grow, &[None, Some(0), Some(1)]), Ok(moved));
        assert!(arrived(grow, &[Some(0), Some(1), None]).unwrap_err().contains("parameter 3"));
        assert!(arrived(grow, &[Some(0), None, Some(1)]).unwrap_err().contains("parameter 2"));
        assert!(arrived(grow, &[Some(0)]).is_err());
    }
}
