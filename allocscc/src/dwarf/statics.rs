//! Functions and variables with static storage.

use std::borrow::Cow;
use std::collections::BTreeMap;

use object::SymbolKind;
use rustc_hash::FxHashMap;

use super::linked::Symbol;
use super::location::static_address;
use super::scopes::{Function, Scopes, Variable};
use super::types::MergedTypes;
use super::units::Units;
use crate::graph::{NodeId, Type};

/// A function, a variable with static storage, or a string literal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Static {
    /// Address in the file.
    pub svma: u64,
    /// Size in bytes.
    pub size: u64,
    /// Its type; `None` for a symbol without debug information.
    pub ty: Option<NodeId>,
    /// Its name; empty for a literal.
    pub name: String,
}

/// All statics of a file but string literals, by address.
pub fn read(units: &Units<'_>, scopes: &Scopes<'_>, merged: &mut MergedTypes) -> Vec<Static> {
    let symbols = Symbols::read(units);
    let mut found: BTreeMap<u64, Static> = BTreeMap::new();
    for function in &scopes.functions {
        add_function(function, &symbols, merged, &mut found);
    }
    let mut declared_types: FxHashMap<Cow<'_, str>, NodeId> = FxHashMap::default();
    for variable in &scopes.variables {
        match variable.location.as_ref().and_then(|l| static_address(units.get(variable.unit), l)) {
            Some(svma) => add_variable(variable, svma, scopes, &symbols, merged, &mut found),
            None if variable.scope.is_none() => {
                let name = variable.linkage_name.as_ref().unwrap_or(&variable.name);
                if let Some(ty) = variable.ty.and_then(|die| merged.node(die)) {
                    declared_types.entry(name.clone()).or_insert(ty);
                }
            }
            None => {}
        }
    }
    for symbol in symbols.sized() {
        if !is_covered(&found, symbol.svma) {
            // What a library defines and the linker copied here (`stdout`) has its type from the declaration.
            let ty = declared_types.get(&symbol.name).filter(|_| symbol.kind == SymbolKind::Data);
            let (name, ty) = (symbol.name.clone().into_owned(), ty.copied());
            found.insert(symbol.svma, Static { svma: symbol.svma, size: symbol.size, ty, name });
        }
    }
    found.into_values().collect()
}

fn is_covered(found: &BTreeMap<u64, Static>, svma: u64) -> bool {
    found.range(..=svma).next_back().is_some_and(|(_, s)| svma - s.svma < s.size.max(1))
}

/// One record for each piece of the function's code: a part that the compiler split off has a symbol of its own.
fn add_function(
    function: &Function<'_>,
    symbols: &Symbols<'_>,
    merged: &MergedTypes,
    found: &mut BTreeMap<u64, Static>,
) {
    let ty = merged.node(function.die);
    let source_name = function.linkage_name.as_ref().unwrap_or(&function.name);
    for range in &function.ranges {
        let symbol = symbols.function_at(range.start, source_name);
        let name = symbol.map_or(source_name, |s| &s.name).clone().into_owned();
        let size = symbol.map(|s| s.size).filter(|&n| n != 0).unwrap_or(range.end - range.start);
        found.entry(range.start).or_insert(Static { svma: range.start, size, ty, name });
    }
}

fn add_variable(
    variable: &Variable<'_>,
    svma: u64,
    scopes: &Scopes<'_>,
    symbols: &Symbols<'_>,
    merged: &mut MergedTypes,
    found: &mut BTreeMap<u64, Static>,
) {
    let function = variable.scope.map(|scope| &scopes.function(scopes.scope(scope).function).name);
    let name = match function {
        // clang leaves an empty DIE of a function that was inlined everywhere; its symbols are `function.variable`.
        Some(function) if function.is_empty() => {
            symbols.data_at(svma).map_or(&variable.name, |s| &s.name).to_string()
        }
        Some(function) => format!("{function}.{}", variable.name),
        None => variable.linkage_name.as_ref().unwrap_or(&variable.name).to_string(),
    };
    let symbol_size = symbols.data_at(svma).map(|s| s.size);
    let mut ty = variable.ty.and_then(|die| merged.node(die));
    // `int a[] = …` may be known from its declaration only: the symbol says how long it is.
    if let Some(id) = ty
        && let &Type::Array { element, length: None, .. } = merged.types.get(id)
        && let Some(element_size) = merged.types.size_of(element).filter(|&n| n != 0)
        && let Some(size) = symbol_size
    {
        ty = Some(merged.types.array_of(element, size / element_size));
    }
    // The initialiser of a flexible array member makes the variable larger than its type.
    let type_size = ty.and_then(|id| merged.types.size_of(id));
    let size = type_size.unwrap_or(0).max(symbol_size.unwrap_or(0));
    match found.get(&svma) {
        Some(known) if known.size >= size => {}
        _ => {
            found.insert(svma, Static { svma, size, ty, name });
        }
    }
}

/// The symbols of a file, by address.
struct Symbols<'a> {
    all: Vec<Symbol<'a>>,
}

impl<'a> Symbols<'a> {
    fn read(units: &Units<'a>) -> Self {
        let mut all = units.file().symbols();
        // Of several names of one address the global one is the better known, then the shorter.
        all.sort_by(|a, b| {
            let key = |s: &Symbol<'_>| (s.svma, s.is_local, s.name.len());
            key(a).cmp(&key(b)).then_with(|| a.name.cmp(&b.name))
        });
        Symbols { all }
    }

    fn at(&self, svma: u64) -> impl Iterator<Item = &Symbol<'a>> {
        let first = self.all.partition_point(|s| s.svma < svma);
        self.all[first..].iter().take_while(move |s| s.svma == svma).filter(|s| !s.is_label())
    }

    /// The symbol of the code at an address: that of the source's name, else a clone's (`name.isra.0`), else any.
    fn function_at(&self, svma: u64, name: &str) -> Option<&Symbol<'a>> {
        let is_clone = |s: &&Symbol<'_>| s.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        let code = || self.at(svma).filter(|s| s.kind == SymbolKind::Text);
        code().find(|s| s.name == name).or_else(|| code().find(is_clone)).or_else(|| code().next())
    }

    fn data_at(&self, svma: u64) -> Option<&Symbol<'a>> {
        self.at(svma).find(|s| s.kind == SymbolKind::Data && s.size != 0)
    }

    fn sized(&self) -> impl Iterator<Item = &Symbol<'a>> {
        self.all.iter().filter(|s| s.size != 0 && s.kind != SymbolKind::Unknown && !s.is_label())
    }
}
