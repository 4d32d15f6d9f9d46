//! Functions, blocks, inlined calls and variables of all units, as the DIEs nest them.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use gimli::{AttributeValue, constants as dw};

use super::error::{Error, Result};
use super::units::{Die, DieRef, UnitIndex, Units, Value};

/// How far abstract origins and specifications are followed: an origin may have a specification, which has neither. The
/// rest is for what `ld -r` and link-time optimisation stack up, and the bound is for cycles in broken files.
pub(super) const LONGEST_ORIGIN_CHAIN: usize = 8;

/// Index of a function in [`Scopes::functions`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FunctionIndex(pub u32);

/// Index of a scope in [`Scopes::scopes`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ScopeIndex(pub u32);

/// A `DW_TAG_subprogram`: with code, or the abstract one of inlined code, or a declaration.
#[derive(Clone, Debug)]
pub struct Function<'a> {
    /// Its DIE.
    pub die: DieRef,
    /// `DW_AT_name`, found through abstract origins.
    pub name: Cow<'a, str>,
    /// `DW_AT_linkage_name`, where it differs from the name (C++).
    pub linkage_name: Option<Cow<'a, str>>,
    /// The file that declares it, as the line table has it.
    pub file: Option<Arc<str>>,
    /// The unit whose source has it: with link-time optimisation not that of the code.
    pub source_unit: UnitIndex,
    /// Where its code lies; empty if it has none.
    pub ranges: Vec<Range<u64>>,
    /// `DW_AT_frame_base`.
    pub frame_base: Option<Value<'a>>,
    /// Its outermost scope.
    pub scope: ScopeIndex,
}

/// The call that inlining replaced.
#[derive(Clone, Debug)]
pub struct InlinedCall<'a> {
    /// The function whose code was put in.
    pub name: Cow<'a, str>,
    /// Its DIE.
    pub die: Option<DieRef>,
    /// The unit whose source has that function.
    pub source_unit: UnitIndex,
    /// The file of the call.
    pub file: Option<Arc<str>>,
    /// The line of the call; 0 if it is not known.
    pub line: u32,
    /// The column of the call; 0 if it is not known.
    pub column: u32,
}

/// A function's body, a block in it, or a call inlined into it.
#[derive(Clone, Debug)]
pub struct Scope<'a> {
    /// The function whose code this is part of.
    pub function: FunctionIndex,
    /// The enclosing scope; `None` for a function's body.
    pub parent: Option<ScopeIndex>,
    /// Its code. Empty means for a block: that of the parent.
    pub ranges: Vec<Range<u64>>,
    /// It is an inlined call.
    pub inlined: Option<InlinedCall<'a>>,
}

/// A variable or parameter.
#[derive(Clone, Debug)]
pub struct Variable<'a> {
    /// The unit of its DIE.
    pub unit: UnitIndex,
    /// The scope that declares it; `None` for a global one.
    pub scope: Option<ScopeIndex>,
    /// Its name, found through abstract origins; may be empty.
    pub name: Cow<'a, str>,
    /// `DW_AT_linkage_name` (C++).
    pub linkage_name: Option<Cow<'a, str>>,
    /// The DIE of its type.
    pub ty: Option<DieRef>,
    /// `DW_AT_location`.
    pub location: Option<Value<'a>>,
}

/// What all units say about code and variables.
#[derive(Default)]
pub struct Scopes<'a> {
    /// Every subprogram.
    pub functions: Vec<Function<'a>>,
    /// Every function body, block and inlined call.
    pub scopes: Vec<Scope<'a>>,
    /// Every variable and parameter that has a location or declares a global.
    pub variables: Vec<Variable<'a>>,
    /// Units that were given up, and why.
    pub warnings: Vec<Error>,
}

impl<'a> Scopes<'a> {
    /// Reads all units. A broken one is left out from the fault on.
    #[must_use]
    pub fn read(units: &Units<'a>) -> Self {
        let mut scopes = Scopes::default();
        for (index, unit) in units.iter() {
            if !unit.is_replaced() {
                let reader = Reader { units, unit: index, nesting: Vec::new(), out: &mut scopes };
                if let Err(e) = reader.read() {
                    scopes.warnings.push(e);
                }
            }
        }
        scopes
    }

    /// A function.
    #[must_use]
    pub fn function(&self, index: FunctionIndex) -> &Function<'a> {
        &self.functions[index.0 as usize]
    }

    /// A scope.
    #[must_use]
    pub fn scope(&self, index: ScopeIndex) -> &Scope<'a> {
        &self.scopes[index.0 as usize]
    }

    /// Whether a scope is an inlined call or lies in one.
    #[must_use]
    pub fn is_inlined(&self, index: ScopeIndex) -> bool {
        let mut scopes = std::iter::successors(Some(self.scope(index)), |s| s.parent.map(|p| self.scope(p)));
        scopes.any(|scope| scope.inlined.is_some())
    }

    /// The code of a scope. A block that says none has that of the scope around it; of an inlined call that says none, nothing is
    /// left.
    #[must_use]
    pub fn ranges_of(&self, index: ScopeIndex) -> &[Range<u64>] {
        let mut scope = self.scope(index);
        while scope.ranges.is_empty() && scope.inlined.is_none() {
            let Some(parent) = scope.parent else { return &[] };
            scope = self.scope(parent);
        }
        &scope.ranges
    }
}

/// What the DIEs at the end of a chain of abstract origins and specifications say.
pub(super) struct Origin<'a> {
    /// The unit of the last DIE in the chain.
    unit: UnitIndex,
    pub(super) name: Cow<'a, str>,
    linkage_name: Option<Cow<'a, str>>,
    file: Option<Arc<str>>,
    pub(super) ty: Option<DieRef>,
}

struct Reader<'a, 'u, 'o> {
    units: &'u Units<'a>,
    unit: UnitIndex,
    nesting: Vec<(isize, ScopeIndex)>,
    out: &'o mut Scopes<'a>,
}

impl<'a> Reader<'a, '_, '_> {
    fn read(mut self) -> Result<()> {
        let units = self.units;
        let unit = units.get(self.unit);
        let root = unit.get().header.root_offset();
        let mut entries = unit.get().unit.entries_raw(None).map_err(unit.error_at(root))?;
        let mut die = Die::default();
        while !entries.is_empty() {
            let offset = entries.next_offset();
            if entries.read_entry(&mut die).map_err(unit.error_at(offset))? {
                self.visit(&die)?;
            }
        }
        Ok(())
    }

    fn visit(&mut self, die: &Die<'a>) -> Result<()> {
        while self.nesting.last().is_some_and(|&(depth, _)| depth >= die.depth()) {
            self.nesting.pop();
        }
        match die.tag() {
            dw::DW_TAG_subprogram => self.function(die),
            dw::DW_TAG_lexical_block => self.block(die, None),
            dw::DW_TAG_inlined_subroutine => {
                let origin = origin(self.units, self.unit, die)?;
                let number = |at| die.attr_value(at).and_then(|v| v.udata_value()).unwrap_or(0);
                let call = InlinedCall {
                    name: origin.name,
                    die: origin_of(self.units, self.unit, die),
                    source_unit: origin.unit,
                    file: self.units.get(self.unit).file_of(die, dw::DW_AT_call_file),
                    line: number(dw::DW_AT_call_line) as u32,
                    column: number(dw::DW_AT_call_column) as u32,
                };
                self.block(die, Some(call))
            }
            dw::DW_TAG_variable | dw::DW_TAG_formal_parameter => self.variable(die),
            _ => Ok(()),
        }
    }

    fn function(&mut self, die: &Die<'a>) -> Result<()> {
        let origin = origin(self.units, self.unit, die)?;
        let function = FunctionIndex(self.out.functions.len() as u32);
        let ranges = code_of(self.units, self.unit, die)?;
        let scope = self.push(die, Scope { function, parent: None, ranges: ranges.clone(), inlined: None });
        self.out.functions.push(Function {
            die: DieRef { unit: self.unit, offset: die.offset() },
            name: origin.name,
            linkage_name: origin.linkage_name,
            file: origin.file,
            source_unit: origin.unit,
            ranges,
            frame_base: die.attr_value(dw::DW_AT_frame_base),
            scope,
        });
        Ok(())
    }

    fn block(&mut self, die: &Die<'a>, inlined: Option<InlinedCall<'a>>) -> Result<()> {
        let Some(&(_, parent)) = self.nesting.last() else { return Ok(()) };
        let function = self.out.scope(parent).function;
        let ranges = code_of(self.units, self.unit, die)?;
        self.push(die, Scope { function, parent: Some(parent), ranges, inlined });
        Ok(())
    }

    fn push(&mut self, die: &Die<'a>, scope: Scope<'a>) -> ScopeIndex {
        let index = ScopeIndex(self.out.scopes.len() as u32);
        self.out.scopes.push(scope);
        self.nesting.push((die.depth(), index));
        index
    }

    fn variable(&mut self, die: &Die<'a>) -> Result<()> {
        let scope = self.nesting.last().map(|&(_, scope)| scope);
        let location = die.attr_value(dw::DW_AT_location);
        if location.is_none() && scope.is_some() {
            return Ok(());
        }
        let origin = origin(self.units, self.unit, die)?;
        self.out.variables.push(Variable {
            unit: self.unit,
            scope,
            name: origin.name,
            linkage_name: origin.linkage_name,
            ty: origin.ty,
            location,
        });
        Ok(())
    }
}

/// Names and type of a DIE, the nearest in the chain of its origins winning.
pub(super) fn origin<'a>(units: &Units<'a>, unit: UnitIndex, die: &Die<'a>) -> Result<Origin<'a>> {
    let mut found = Origin { name: Cow::Borrowed(""), linkage_name: None, file: None, ty: None, unit };
    add_origin(units, unit, die, &mut found);
    let mut next = origin_of(units, unit, die);
    for _ in 0..LONGEST_ORIGIN_CHAIN {
        let Some(at) = next else { break };
        let die = units.die(at)?;
        add_origin(units, at.unit, &die, &mut found);
        found.unit = at.unit;
        next = origin_of(units, at.unit, &die);
    }
    Ok(found)
}

fn add_origin<'a>(units: &Units<'a>, index: UnitIndex, die: &Die<'a>, found: &mut Origin<'a>) {
    let unit = units.get(index);
    if found.file.is_none() {
        found.file = unit.file_of(die, dw::DW_AT_decl_file);
    }
    for attribute in die.attrs() {
        match attribute.name() {
            dw::DW_AT_name if found.name.is_empty() => {
                found.name = unit.string(attribute.value()).unwrap_or_default();
            }
            dw::DW_AT_linkage_name | dw::DW_AT_MIPS_linkage_name if found.linkage_name.is_none() => {
                found.linkage_name = unit.string(attribute.value());
            }
            dw::DW_AT_type if found.ty.is_none() => {
                found.ty = units.resolve(index, &attribute.value());
            }
            _ => {}
        }
    }
}

/// The code of a DIE, without what the linker threw away.
pub(super) fn code_of<'a>(units: &Units<'a>, unit: UnitIndex, die: &Die<'a>) -> Result<Vec<Range<u64>>> {
    let unit = units.get(unit);
    let error = || unit.error_at(die.offset());
    let (mut low, mut high, mut length) = (None, None, None);
    let mut found = Vec::new();
    for attribute in die.attrs() {
        match (attribute.name(), attribute.value()) {
            (dw::DW_AT_low_pc, value) => low = unit.get().attr_address(value).map_err(error())?,
            (dw::DW_AT_high_pc, AttributeValue::Udata(n)) => length = Some(n),
            (dw::DW_AT_high_pc, value) => high = unit.get().attr_address(value).map_err(error())?,
            (dw::DW_AT_ranges, value) => {
                if let Some(mut list) = unit.get().attr_ranges(value).map_err(error())? {
                    while let Some(range) = list.next().map_err(error())? {
                        found.push(range.begin..range.end);
                    }
                }
            }
            _ => {}
        }
    }
    if found.is_empty()
        && let Some(low) = low
        && let Some(high) = length.and_then(|n| low.checked_add(n)).or(high)
    {
        found.push(low..high);
    }
    found.retain(|r| r.start < r.end && units.file().is_code(r.start));
    Ok(found)
}

/// What a DIE is an instance of, or the definition of.
pub(super) fn origin_of(units: &Units<'_>, unit: UnitIndex, die: &Die<'_>) -> Option<DieRef> {
    let value =
        die.attr_value(dw::DW_AT_abstract_origin).or_else(|| die.attr_value(dw::DW_AT_specification))?;
    units.resolve(unit, &value)
}
