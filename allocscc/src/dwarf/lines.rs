//! Where in the source an address comes from: the line table and the chain of inlined calls.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::error::{Error, Result};
use super::scopes::{ScopeIndex, Scopes};
use super::units::{UnitIndex, Units};

/// A place in the source that an instruction belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SourceFrame<'a> {
    /// The function; empty if no DIE covers the address.
    pub function: &'a str,
    /// The unit whose source has the function, if there is one.
    pub unit: Option<UnitIndex>,
    /// The file as the line table has it: relative to the directory of the compilation, or absolute. Empty if not known.
    pub file: &'a str,
    /// The line; 0 if not known (also what compilers say of instructions that belong to no line).
    pub line: u32,
    /// The column; 0 if not known.
    pub column: u32,
    /// Whether this function was inlined into that of the next frame.
    pub is_inlined: bool,
}

impl<'a> SourceFrame<'a> {
    /// The file without its directories.
    #[must_use]
    pub fn basename(&self) -> &'a str {
        self.file.rsplit('/').next().unwrap_or(self.file)
    }
}

/// Line table and inlined calls of all units, sorted for look-up.
pub struct LineIndex {
    strings: Vec<Arc<str>>,
    rows: Vec<Row>,
    segments: Vec<Segment>,
    contexts: Vec<Context>,
    /// Functions of which there is no code.
    without_code: Vec<(StringIndex, UnitIndex)>,
    /// Line tables that were given up, and why.
    pub warnings: Vec<Error>,
}

/// Index into [`LineIndex::strings`]; the first is the empty string.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct StringIndex(u32);

const EMPTY: StringIndex = StringIndex(0);

/// From `svma` to the next row. The row that ends a sequence has no file.
struct Row {
    svma: u64,
    file: StringIndex,
    line: u32,
    column: u32,
    is_end: bool,
}

/// From `svma` to the next segment the code belongs to `context`.
struct Segment {
    svma: u64,
    context: Option<ContextIndex>,
}

/// Names a [`Context`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ContextIndex(u32);

impl ContextIndex {
    /// Its place in [`LineIndex::contexts`].
    #[must_use]
    pub fn number(self) -> usize {
        self.0 as usize
    }
}

/// A function's body as it was compiled once: on its own, or inlined into another context.
struct Context {
    function: StringIndex,
    unit: UnitIndex,
    caller: Option<Caller>,
}

struct Caller {
    context: ContextIndex,
    file: StringIndex,
    line: u32,
    column: u32,
}

impl LineIndex {
    /// Reads the line tables of all units and takes inlined calls from `scopes`. A line table that is broken is left out from
    /// the fault on.
    #[must_use]
    pub fn build(units: &Units<'_>, scopes: &Scopes<'_>) -> Self {
        let mut strings = Strings::new();
        let (mut rows, mut warnings) = (Vec::new(), Vec::new());
        for (index, unit) in units.iter() {
            // Type units name the table of the unit beside them, and the units of a .dwo file have no rows.
            if unit.has_own_rows()
                && let Err(e) = read_rows(units, index, &mut strings, &mut rows)
            {
                warnings.push(e);
            }
        }
        rows.sort_by_key(|r| (r.svma, !r.is_end));
        let (segments, contexts) = read_contexts(scopes, &mut strings);
        let empty = scopes.functions.iter().filter(|function| function.ranges.is_empty());
        let without_code = empty.map(|f| (strings.add(&f.name), f.source_unit)).collect();
        LineIndex { strings: strings.all, rows, segments, contexts, without_code, warnings }
    }

    /// The source positions of the instruction that holds an address, innermost first; the last is that of the function whose
    /// code it is. For a call, pass its return address minus one. Empty if nothing is known.
    #[must_use]
    pub fn frames_at(&self, svma: u64) -> Vec<SourceFrame<'_>> {
        let row = last_not_after(&self.rows, svma, |r| r.svma).filter(|r| !r.is_end);
        let context = last_not_after(&self.segments, svma, |s| s.svma).and_then(|s| s.context);
        let (mut file, mut line, mut column) = row.map_or((EMPTY, 0, 0), |r| (r.file, r.line, r.column));
        let Some(mut context) = context.map(|c| &self.contexts[c.0 as usize]) else {
            return row
                .map(|_| SourceFrame {
                    function: "",
                    unit: None,
                    file: self.string(file),
                    line,
                    column,
                    is_inlined: false,
                })
                .into_iter()
                .collect();
        };
        let mut frames = Vec::new();
        loop {
            frames.push(SourceFrame {
                function: self.string(context.function),
                unit: Some(context.unit),
                file: self.string(file),
                line,
                column,
                is_inlined: context.caller.is_some(),
            });
            let Some(caller) = &context.caller else { return frames };
            (file, line, column) = (caller.file, caller.line, caller.column);
            context = &self.contexts[caller.context.0 as usize];
        }
    }

    /// The contexts of [`LineIndex::frames_at`], in the same order.
    #[must_use]
    pub fn contexts_at(&self, svma: u64) -> Vec<ContextIndex> {
        let innermost = last_not_after(&self.segments, svma, |s| s.svma).and_then(|s| s.context);
        std::iter::successors(innermost, |&context| self.caller_of(context)).collect()
    }

    /// All contexts with the functions that they are of and the units of those, code that was merged into that of others included.
    /// The one that a context is inlined into stands before it.
    pub fn contexts(&self) -> impl Iterator<Item = (ContextIndex, &str, UnitIndex)> {
        let numbered = (0..).map(ContextIndex).zip(&self.contexts);
        numbered.map(|(index, context)| (index, self.string(context.function), context.unit))
    }

    /// The functions that the debug information has without code of their own: those that are always inlined, those that the
    /// compiler folded into another one, and those that are not defined.
    pub fn functions_without_code(&self) -> impl Iterator<Item = (&str, UnitIndex)> {
        self.without_code.iter().map(|&(name, unit)| (self.string(name), unit))
    }

    /// The context that one is inlined into.
    #[must_use]
    pub fn caller_of(&self, context: ContextIndex) -> Option<ContextIndex> {
        self.contexts[context.0 as usize].caller.as_ref().map(|caller| caller.context)
    }

    /// The context that one is inlined into, and line and column of the call there.
    #[must_use]
    pub fn call_of(&self, context: ContextIndex) -> Option<(ContextIndex, (u32, u32))> {
        let caller = self.contexts[context.0 as usize].caller.as_ref()?;
        Some((caller.context, (caller.line, caller.column)))
    }

    fn string(&self, index: StringIndex) -> &str {
        &self.strings[index.0 as usize]
    }
}

struct Strings {
    all: Vec<Arc<str>>,
    known: FxHashMap<Arc<str>, StringIndex>,
}

impl Strings {
    fn new() -> Self {
        let mut strings = Strings { all: Vec::new(), known: FxHashMap::default() };
        strings.add("");
        strings
    }

    fn add(&mut self, s: &str) -> StringIndex {
        if let Some(&known) = self.known.get(s) {
            return known;
        }
        let (index, s) = (StringIndex(self.all.len() as u32), Arc::<str>::from(s));
        self.all.push(s.clone());
        self.known.insert(s, index);
        index
    }
}

fn read_rows(units: &Units<'_>, index: UnitIndex, strings: &mut Strings, out: &mut Vec<Row>) -> Result<()> {
    let unit = units.get(index);
    let Some(program) = unit.get().unit.line_program.clone() else { return Ok(()) };
    let error_at = program.header().offset().0 as u64;
    let mut files: FxHashMap<u64, StringIndex> = FxHashMap::default();
    let mut rows = program.rows();
    let mut start = out.len();
    loop {
        let row = match rows.next_row() {
            Ok(Some((_, row))) => row,
            Ok(None) => break,
            Err(e) => {
                out.truncate(start);
                return Err(Error::at(".debug_line", error_at)(e));
            }
        };
        let file = *files
            .entry(row.file_index())
            .or_insert_with(|| unit.file(row.file_index()).map_or(EMPTY, |f| strings.add(f)));
        out.push(Row {
            svma: row.address(),
            file,
            line: row.line().map_or(0, |l| u32::try_from(l.get()).unwrap_or(0)),
            column: match row.column() {
                gimli::ColumnType::LeftEdge => 0,
                gimli::ColumnType::Column(n) => u32::try_from(n.get()).unwrap_or(0),
            },
            is_end: row.end_sequence(),
        });
        if row.end_sequence() {
            finish_sequence(units, out, start);
            start = out.len();
        }
    }
    out.truncate(start);
    Ok(())
}

/// Takes a sequence that was thrown away by the linker out again, and rows that cover nothing.
fn finish_sequence(units: &Units<'_>, rows: &mut Vec<Row>, start: usize) {
    let Some(end) = rows.pop() else { return };
    if rows.get(start).is_none_or(|first| !units.file().is_code(first.svma)) {
        rows.truncate(start);
        return;
    }
    while rows.len() > start && rows[rows.len() - 1].svma >= end.svma {
        rows.pop();
    }
    if rows.len() > start {
        rows.push(end);
    }
}

fn read_contexts(scopes: &Scopes<'_>, strings: &mut Strings) -> (Vec<Segment>, Vec<Context>) {
    let mut contexts: Vec<Context> = Vec::new();
    let mut of_scope: Vec<Option<(ContextIndex, u32)>> = Vec::with_capacity(scopes.scopes.len());
    let mut intervals = Vec::new();
    for (i, scope) in scopes.scopes.iter().enumerate() {
        // A parent stands before its children, so that its context is known.
        let parent = scope.parent.and_then(|ScopeIndex(p)| of_scope[p as usize]);
        let next = ContextIndex(contexts.len() as u32);
        let context = match (&scope.inlined, parent) {
            (Some(call), Some((caller, depth))) => {
                let file = call.file.as_ref().map_or(EMPTY, |f| strings.add(f));
                contexts.push(Context {
                    function: strings.add(&call.name),
                    unit: call.source_unit,
                    caller: Some(Caller { context: caller, file, line: call.line, column: call.column }),
                });
                Some((next, depth + 1))
            }
            (None, Some(parent)) => {
                of_scope.push(Some(parent));
                continue;
            }
            (_, None) => {
                let function = scopes.function(scope.function);
                if function.ranges.is_empty() {
                    of_scope.push(None);
                    continue;
                }
                contexts.push(Context {
                    function: strings.add(&function.name),
                    unit: function.source_unit,
                    caller: None,
                });
                Some((next, 0))
            }
        };
        of_scope.push(context);
        if let Some((context, depth)) = context {
            let ranges = scopes.ranges_of(ScopeIndex(i as u32));
            intervals.extend(ranges.iter().map(|r| (r.start, depth, r.end, context)));
        }
    }
    intervals.sort_by_key(|&(start, depth, ..)| (start, depth));
    (flatten(&intervals), contexts)
}

/// Makes nested intervals (start, depth, end, context) into segments, the innermost context winning.
fn flatten(intervals: &[(u64, u32, u64, ContextIndex)]) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut open: Vec<(u64, ContextIndex)> = Vec::new();
    let close_until = |limit: u64, open: &mut Vec<(u64, ContextIndex)>, segments: &mut Vec<Segment>| {
        while let Some(&(end, _)) = open.last()
            && end <= limit
        {
            open.pop();
            segments.push(Segment { svma: end, context: open.last().map(|&(_, c)| c) });
        }
    };
    for &(start, _, end, context) in intervals {
        close_until(start, &mut open, &mut segments);
        let end = open.last().map_or(end, |&(outer, _)| end.min(outer));
        segments.push(Segment { svma: start, context: Some(context) });
        open.push((end, context));
    }
    close_until(u64::MAX, &mut open, &mut segments);
    segments
}

fn last_not_after<T>(sorted: &[T], key: u64, of: impl Fn(&T) -> u64) -> Option<&T> {
    let after = sorted.partition_point(|t| of(t) <= key);
    sorted.get(after.checked_sub(1)?)
}
