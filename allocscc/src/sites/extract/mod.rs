//! Makes the facts of a file from its syntax trees.
//!
//! Each function is walked once in the order of its execution, branches joined where they meet, loop bodies twice. An
//! expression is worth a value ([`values`]): a size, or the block that a recorded call gave. Where a block becomes a pointer
//! of some type, the call gets a sink. [`assemble`] then names the types, when all of the file has been seen.

mod assemble;
mod bindings;
mod calls;
mod carving;
mod endings;
mod environment;
mod expressions;
mod folding;
mod initializers;
mod literals;
mod members;
mod origins;
mod statements;
mod uses;
mod values;

use rustc_hash::{FxHashMap, FxHashSet};

use self::carving::Carving;
use self::environment::{Changes, Environment, Mark};
use self::members::Stored;
use self::origins::{Assignment, FoundOrigin, Here};
use self::uses::{FoundUse, Keeper};
use self::values::{CallIndex, Distance, Value, ValueId, Values};
use super::facts::{Callee, FileFacts, Holder, Place};
use super::functions::DeclaredFunctions;
use crate::c::lexer;
use crate::c::parser::with_stack;
use crate::c::scopes::{ObjectId, Storage};
use crate::c::syntax::{Declared, Definition, ExprId};
use crate::c::token::{Symbol, TokenIndex};
use crate::c::types::{TypeId, Types};
use crate::c::{External, Parser};

/// What is known of a compilation unit beside its text.
#[derive(Clone, Default, Debug)]
pub struct UnitInfo {
    /// The source as given to the compiler.
    pub source: String,
    /// The directory of the compilation.
    pub directory: String,
    /// Allocation functions declared by hand.
    pub declared: DeclaredFunctions,
    /// Whether the compiler puts string literals into sections of their own, where the link step finds them unaided.
    pub merges_literals: bool,
}

/// The facts of a preprocessed file. What cannot be read is in [`FileFacts::skipped`].
#[must_use]
pub fn facts_of_unit(preprocessed: &[u8], unit: &UnitInfo) -> FileFacts {
    let mut facts =
        FileFacts { source: unit.source.clone(), directory: unit.directory.clone(), ..FileFacts::default() };
    if u32::try_from(preprocessed.len()).is_err() {
        facts.skipped.push((Place::default(), "the file is 4 GiB or more".to_owned()));
        return facts;
    }
    match with_stack(|| extract(preprocessed, unit)) {
        Some(found) => FileFacts { source: facts.source, directory: facts.directory, ..found },
        None => {
            facts.skipped.push((Place::default(), "no memory for the stack of the parser".to_owned()));
            facts
        }
    }
}

fn extract(preprocessed: &[u8], unit: &UnitInfo) -> FileFacts {
    let tokens = lexer::tokenize(preprocessed);
    let mut parser = Parser::new(&tokens);
    let mut found = Found::new(&unit.declared);
    while let Some(external) = parser.advance() {
        match external {
            External::Function(definition) => Walk::function(&parser, &mut found, &definition),
            External::Variables(variables) => found.variables(&parser, &variables),
            External::Nothing => {}
        }
    }
    let mut facts = assemble::facts(&parser, &found);
    facts.literals = literals::unmerged(&tokens, unit.merges_literals);
    facts
}

/// In place of the index of a function: at file scope.
const OUTSIDE: u32 = u32::MAX;

/// What receives a block, types by id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum FoundSink {
    Return(Offset),
    Out(u32, Offset),
    Pointer(TypeId),
    Argument(Symbol, u32),
    Kept(Keeper),
    Lost,
    Carved,
    Part(TypeId),
    Ended,
}

/// Where in a block a pointer points.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Offset {
    /// To its start.
    None,
    /// So far behind it.
    Behind(Distance),
}

struct FoundCall {
    function: u32,
    callee: Callee,
    at: TokenIndex,
    close: TokenIndex,
    first_line: u32,
    arguments: Vec<ValueId>,
    sinks: Vec<FoundSink>,
    outputs: Vec<(u32, Vec<FoundSink>)>,
    origins: Vec<FoundOrigin>,
}

struct FoundFunction {
    object: ObjectId,
    is_static: bool,
    parameters: Vec<ObjectId>,
    result: TypeId,
    end: TokenIndex,
    value: Option<ValueId>,
    /// The parameters that it returns.
    returned: Vec<u32>,
}

/// A function pointer gets a value.
struct FoundBinding {
    holder: Holder,
    source: Callee,
    /// The enclosing function; `None` at file scope.
    function: Option<u32>,
}

/// What was found in a file so far.
struct Found<'d> {
    declared: &'d DeclaredFunctions,
    values: Values,
    functions: Vec<FoundFunction>,
    calls: Vec<FoundCall>,
    bindings: Vec<FoundBinding>,
    /// What becomes of pointers to void.
    uses: FxHashSet<(Keeper, FoundUse)>,
    /// The function pointers that pointers to void are passed to, and as which argument.
    called: FxHashSet<(Keeper, Callee, u32)>,
    /// The members of type pointer to void that initialisers point to other things than bytes.
    keepers_of_objects: FxHashSet<Holder>,
    /// The values of constant variables outside functions.
    constants: FxHashMap<ObjectId, ValueId>,
}

impl<'d> Found<'d> {
    fn new(declared: &'d DeclaredFunctions) -> Self {
        Found {
            declared,
            values: Values::new(),
            functions: Vec::new(),
            calls: Vec::new(),
            bindings: Vec::new(),
            uses: FxHashSet::default(),
            called: FxHashSet::default(),
            keepers_of_objects: FxHashSet::default(),
            constants: FxHashMap::default(),
        }
    }

    /// `static const size_t size = sizeof (struct header);` and tables of functions.
    fn variables(&mut self, unit: &Parser, variables: &[Declared]) {
        for variable in variables {
            let Some(init) = variable.init else { continue };
            let object = unit.scopes.object(variable.object);
            let mut walk = Walk::new(unit, self, OUTSIDE, Types::UNKNOWN, &[]);
            if walk.holds_pointers(object.ty) {
                walk.variable_initializer(variable.object, init);
            } else if object.is_const {
                let value = walk.scalar_initializer(init);
                self.constants.insert(variable.object, value);
            }
        }
    }
}

/// The walk over one function.
struct Walk<'w, 'p, 'a, 'd> {
    unit: &'p Parser<'a>,
    found: &'w mut Found<'d>,
    function: u32,
    result: TypeId,
    environment: Environment,
    /// Control can reach this point.
    live: bool,
    returns: Vec<ValueId>,
    calls: FxHashMap<ExprId, CallIndex>,
    /// For each loop and switch around this point: where it began, and what had changed at each `break`.
    breaks: Vec<(Mark, Vec<Changes>)>,
    gotos: FxHashMap<Symbol, Vec<Changes>>,
    loops: u32,
    depth: u32,
    /// The token where the casts and calls around this point begin.
    context: Option<TokenIndex>,
    /// What the value that is being made becomes.
    here: Here,
    /// What variables were set to, for explanations.
    assignments: FxHashMap<ObjectId, Vec<Assignment>>,
    carving: Carving,
    stored: Stored,
    /// The value of the last expression statement, for statement expressions.
    last: ValueId,
}

impl<'w, 'p, 'a, 'd> Walk<'w, 'p, 'a, 'd> {
    fn new(
        unit: &'p Parser<'a>,
        found: &'w mut Found<'d>,
        function: u32,
        result: TypeId,
        parameters: &[ObjectId],
    ) -> Self {
        let mut environment = Environment::default();
        for &parameter in parameters {
            if let Storage::Parameter(index) = unit.scopes.object(parameter).storage {
                let is_pointer = unit.types.pointee(unit.scopes.object(parameter).ty).is_some();
                let value = if is_pointer { Value::PointerParam(index) } else { Value::Param(index) };
                let value = found.values.leaf(value);
                environment.set(parameter, value);
            }
        }
        Walk {
            unit,
            found,
            function,
            result,
            environment,
            live: true,
            returns: Vec::new(),
            calls: FxHashMap::default(),
            breaks: Vec::new(),
            gotos: FxHashMap::default(),
            loops: 0,
            depth: 0,
            context: None,
            here: Here::Nowhere,
            assignments: FxHashMap::default(),
            carving: Carving::default(),
            stored: Stored::default(),
            last: Values::OPAQUE,
        }
    }

    fn function(unit: &'p Parser<'a>, found: &'w mut Found<'d>, definition: &Definition) {
        let function = found.functions.len() as u32;
        found.functions.push(FoundFunction {
            object: definition.object,
            is_static: definition.is_static,
            parameters: definition.parameters.clone(),
            result: definition.result,
            end: definition.end,
            value: None,
            returned: Vec::new(),
        });
        let mut walk = Walk::new(unit, found, function, definition.result, &definition.parameters);
        walk.statement(definition.body);
        walk.end_carving();
        let returns = std::mem::take(&mut walk.returns);
        walk.found.functions[function as usize].returned = walk.found.values.pointer_parameters(&returns);
        let value = walk.found.values.alternatives(&returns);
        if unit.types.is_integer(definition.result) && walk.found.values.is_telling(value) {
            walk.found.functions[function as usize].value = Some(value);
        }
    }
}
