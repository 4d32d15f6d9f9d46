//! The walk over calls: which are recorded, what they are worth.

use super::bindings::record_name;
use super::values::{CallIndex, Operation, Value, ValueId, Values};
use super::{FoundCall, FoundSink, Offset, Walk};
use crate::c::scopes::Storage;
use crate::c::syntax::{Expr, ExprId, UnaryOp};
use crate::c::token::{Symbol, TokenIndex};
use crate::c::types::{Type, TypeId, Types};
use crate::sites::facts::{Callee, Holder};
use crate::sites::functions::{Allocation, Gives};

impl Walk<'_, '_, '_, '_> {
    pub(super) fn call(
        &mut self,
        id: ExprId,
        callee: ExprId,
        arguments: &[ExprId],
        close: TokenIndex,
    ) -> ValueId {
        let unit = self.unit;
        let (target, at) = self.callee(callee);
        let target = target.or_else(|| self.chosen(callee));
        self.value(callee);
        let outer = self.context;
        self.context = outer.or(Some(unit.tree.node(id).start));
        let name = self.direct_name(callee);
        let parameters: Vec<TypeId> = unit.types.parameters(unit.tree.node(callee).ty).to_vec();
        let allocation = self.allocation(&target);
        let mut values = Vec::with_capacity(arguments.len());
        for (index, &argument) in arguments.iter().enumerate() {
            let value = self.value(argument);
            if let Some(name) = name {
                self.receive(value, FoundSink::Argument(name, index as u32));
                if self.may_be_function(argument) {
                    let holder = Holder::Argument(unit.tokens.names.text(name), index as u32);
                    self.bind(Some(holder), argument);
                }
            }
            if let Some(&parameter) = parameters.get(index) {
                self.convert(value, parameter);
            }
            values.push(value);
        }
        self.context = outer;
        self.stored.clear();
        for (index, &argument) in (0..).zip(arguments) {
            let parameter = parameters.get(index as usize).copied();
            self.passed((name, target.as_ref()), (index, argument), &values, parameter);
        }
        let result = unit.tree.node(id).ty;
        match (target, allocation) {
            (Some(target), Some(allocation)) => {
                let index = self.record(id, target, at, close, values);
                match allocation.gives {
                    Gives::Result => self.found.values.leaf(Value::Block(index, None)),
                    Gives::Output(argument) => {
                        arguments
                            .get(argument as usize)
                            .into_iter()
                            .for_each(|&pointer| self.output(index, argument, pointer));
                        Values::OPAQUE
                    }
                    Gives::Within => Values::OPAQUE,
                }
            }
            (Some(target), None) if !name.is_some_and(|name| self.is_known(name)) => {
                self.perhaps_wrapper(id, name, target, at, close, arguments, values)
            }
            _ => name.map_or(Values::OPAQUE, |name| self.plain_call(name, arguments, &values, result)),
        }
    }

    /// A call of what may turn out to allocate when all files are seen: it returns a pointer, or is told where to store one.
    #[expect(clippy::too_many_arguments, reason = "the parts of one call")]
    fn perhaps_wrapper(
        &mut self,
        id: ExprId,
        name: Option<Symbol>,
        target: Callee,
        at: TokenIndex,
        close: TokenIndex,
        arguments: &[ExprId],
        values: Vec<ValueId>,
    ) -> ValueId {
        let result = self.unit.tree.node(id).ty;
        let gives_pointer = self.unit.types.pointee(result).is_some();
        let outputs: Vec<(u32, ExprId)> = (0..)
            .zip(arguments.iter().copied())
            .filter(|&(_, argument)| self.may_be_output(argument))
            .collect();
        let plain = match name {
            Some(name) if !gives_pointer => self.plain_call(name, arguments, &values, result),
            None if self.unit.types.is_integer(result) => self.rounded(&values),
            _ => Values::OPAQUE,
        };
        if !gives_pointer && outputs.is_empty() {
            return plain;
        }
        let index = self.record(id, target, at, close, values);
        for (argument, pointer) in outputs {
            self.output(index, argument, pointer);
        }
        if !gives_pointer {
            return plain;
        }
        let block = self.found.values.leaf(Value::Block(index, None));
        self.convert(block, result);
        block
    }

    /// A function pointer that makes a number of a size alone rounds it up.
    fn rounded(&self, arguments: &[ValueId]) -> ValueId {
        match *arguments {
            [size] if self.found.values.is_telling(size) => size,
            _ => Values::OPAQUE,
        }
    }

    /// Built-in functions are known, and none but those that stand for the library's allocates.
    fn is_known(&self, name: Symbol) -> bool {
        let name = self.unit.tokens.names.text(name);
        gives_back_first(&name)
            || ["__builtin_", "__sync_", "__atomic_"].iter().any(|prefix| name.starts_with(prefix))
    }

    /// Whether a callee may store a pointer where an argument points: `&p`, or a parameter of type `T **`.
    fn may_be_output(&self, argument: ExprId) -> bool {
        let argument = self.below_casts(argument);
        let node = self.unit.tree.node(argument);
        let Some(to) = self.unit.types.pointee(node.ty) else { return false };
        if !matches!(self.unit.types.get(to), Type::Pointer(_)) {
            return false;
        }
        match node.expr {
            Expr::Unary(UnaryOp::AddressOf, _) => true,
            Expr::Object(object) => matches!(self.unit.scopes.object(object).storage, Storage::Parameter(_)),
            _ => false,
        }
    }

    /// Whether an argument is a function or leads to one.
    fn may_be_function(&self, argument: ExprId) -> bool {
        let ty = self.unit.tree.node(argument).ty;
        matches!(self.unit.types.get(ty), Type::Function { .. }) || self.leads_to_function(ty)
    }

    /// The expression below parentheses, dereferences and `&`, which change nothing about a function.
    fn called(&self, callee: ExprId) -> ExprId {
        match self.unit.tree.node(callee).expr {
            Expr::Unary(UnaryOp::Deref | UnaryOp::AddressOf | UnaryOp::Plus, inner) => self.called(inner),
            _ => callee,
        }
    }

    /// The name of a function called directly.
    fn direct_name(&self, callee: ExprId) -> Option<Symbol> {
        match self.unit.tree.node(self.called(callee)).expr {
            Expr::Object(object) => {
                let object = self.unit.scopes.object(object);
                matches!(self.unit.types.get(object.ty), Type::Function { .. }).then_some(object.name)
            }
            Expr::Undeclared(name) => Some(name),
            _ => None,
        }
    }

    /// What is called, and the token that names it.
    pub(super) fn callee(&self, callee: ExprId) -> (Option<Callee>, TokenIndex) {
        let names = &self.unit.tokens.names;
        let node = self.unit.tree.node(self.called(callee));
        if let Some(name) = self.direct_name(callee) {
            let name = names.text(name);
            let library = name.strip_prefix("__builtin_").map(str::to_owned);
            return (Some(Callee::Direct(library.unwrap_or(name))), node.start);
        }
        match node.expr {
            Expr::Object(object) => (Some(self.variable_place(object)), node.start),
            // Elements of an array are not told apart.
            Expr::Index(array, _) => (self.callee(array).0, node.start),
            Expr::Member { of, name, at, arrow } => {
                let holder = self.unit.tree.node(of).ty;
                let holder = if arrow { self.unit.types.pointee(holder) } else { Some(holder) };
                let record = holder.and_then(|holder| self.unit.types.as_record(holder));
                let record = record.and_then(|record| record_name(self.unit, record));
                (record.map(|record| Callee::Field(record, names.text(name))), at)
            }
            Expr::Call(of, ..) => {
                (self.direct_name(of).map(|name| Callee::Result(names.text(name))), node.start)
            }
            _ => (None, node.start),
        }
    }

    fn allocation(&self, target: &Option<Callee>) -> Option<Allocation> {
        match target {
            Some(Callee::Direct(name)) => self.found.declared.find(name),
            _ => None,
        }
    }

    fn record(
        &mut self,
        id: ExprId,
        callee: Callee,
        at: TokenIndex,
        close: TokenIndex,
        values: Vec<ValueId>,
    ) -> CallIndex {
        if let Some(&index) = self.calls.get(&id) {
            // The second round of a loop has seen more.
            self.found.calls[index.0 as usize].arguments = values;
            self.note_sizes(index, id);
            return index;
        }
        let index = CallIndex(self.found.calls.len() as u32);
        let first_line = self.first_line(id, at);
        self.found.calls.push(FoundCall {
            function: self.function,
            callee,
            at,
            close,
            first_line,
            arguments: values,
            sinks: Vec::new(),
            outputs: Vec::new(),
            origins: Vec::new(),
        });
        self.calls.insert(id, index);
        self.note_sizes(index, id);
        index
    }

    /// Lines of other files, from macros in the arguments of others, do not count.
    fn first_line(&self, call: ExprId, at: TokenIndex) -> u32 {
        let tokens = self.unit.tokens;
        let own = tokens.get(at);
        let outer = [Some(self.unit.tree.node(call).start), self.context].into_iter().flatten();
        let lines = outer
            .map(|token| tokens.get(token))
            .filter(|token| token.file == own.file)
            .map(|token| token.line);
        lines.fold(own.line, u32::min)
    }

    /// The callee stores a block where an argument points: `(void **) &p`.
    fn output(&mut self, call: CallIndex, argument: u32, pointer: ExprId) {
        let value = self.found.values.leaf(Value::Block(call, Some(argument)));
        let pointer = self.below_casts(pointer);
        let node = self.unit.tree.node(pointer);
        match node.expr {
            Expr::Unary(UnaryOp::AddressOf, target) => {
                self.convert(value, self.unit.tree.node(target).ty);
                self.store(target, value);
            }
            _ => {
                let ty = self.unit.types.pointee(node.ty).unwrap_or(Types::UNKNOWN);
                self.convert(value, ty);
                let holder = self.value(pointer);
                if let Value::PointerParam(index) = *self.found.values.get(holder) {
                    self.receive(value, FoundSink::Out(index, Offset::None));
                }
            }
        }
    }

    pub(super) fn below_casts(&self, expr: ExprId) -> ExprId {
        match self.unit.tree.node(expr).expr {
            Expr::Cast(inner) | Expr::Unary(UnaryOp::Plus, inner) => self.below_casts(inner),
            _ => expr,
        }
    }

    /// A call that is not recorded: a size helper, or a function that measures strings.
    fn plain_call(
        &mut self,
        name: Symbol,
        arguments: &[ExprId],
        values: &[ValueId],
        result: TypeId,
    ) -> ValueId {
        let text = self.unit.tokens.names.text(name);
        let library = text.strip_prefix("__builtin_").unwrap_or(&text);
        let operation = match library {
            "strlen" | "strnlen" | "wcslen" | "snprintf" | "vsnprintf" | "sprintf" | "vsprintf"
            | "strspn" | "strcspn" | "__sprintf_chk" | "__snprintf_chk" | "__vsnprintf_chk" => {
                return self.found.values.leaf(Value::StringLength);
            }
            "expect" | "expect_with_probability" | "assume_aligned" => {
                return values.first().copied().unwrap_or(Values::OPAQUE);
            }
            _ if gives_back_first(library) => return values.first().copied().unwrap_or(Values::OPAQUE),
            _ if library.ends_with("mul_overflow") || library.ends_with("mull_overflow") => {
                Some(Operation::Mul)
            }
            _ if library.ends_with("add_overflow") || library.ends_with("addl_overflow") => {
                Some(Operation::Add)
            }
            _ if library.ends_with("sub_overflow") || library.ends_with("subl_overflow") => {
                Some(Operation::Sub)
            }
            _ => None,
        };
        if let (Some(operation), &[left, right, _], &[_, _, pointer]) = (operation, values, arguments) {
            let value = self.found.values.arithmetic(operation, left, right);
            if let Expr::Unary(UnaryOp::AddressOf, target) =
                self.unit.tree.node(self.below_casts(pointer)).expr
            {
                self.store(target, value);
            }
            return Values::OPAQUE;
        }
        let is_size = self.unit.types.is_integer(result) && !text.starts_with("__builtin_");
        if is_size { self.found.values.call(name, values) } else { Values::OPAQUE }
    }
}

/// Whether a function of the C library returns its first argument.
fn gives_back_first(name: &str) -> bool {
    let name = name.strip_prefix("__").and_then(|name| name.strip_suffix("_chk")).unwrap_or(name);
    matches!(name, "memcpy" | "memmove" | "memset" | "strcpy" | "strncpy" | "strcat" | "strncat")
}
