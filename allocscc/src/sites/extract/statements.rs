//! The walk over statements: branches, loops, jumps.

use super::environment::{Changes, Mark};
use super::origins::Here;
use super::values::Values;
use super::{FoundSink, Offset, Walk};
use crate::c::scopes::Storage;
use crate::c::syntax::{Declared, ExprId, Stmt, StmtId};
use crate::c::token::Symbol;

/// The most jumps to one place whose variables are joined there.
const MOST_JUMPS: usize = 8;
/// The most values of `return` that are kept.
const MOST_RETURNS: usize = 64;
/// Loops nested deeper are walked once only, so that the cost stays linear.
const LOOPS_WALKED_TWICE: u32 = 2;

impl Walk<'_, '_, '_, '_> {
    pub(super) fn statement(&mut self, id: StmtId) {
        let context = self.context.take();
        let unit = self.unit;
        match unit.tree.get_stmt(id) {
            Stmt::Empty => {}
            Stmt::Expr(expr) => self.last = self.value(*expr),
            Stmt::Declaration(variables) => variables.iter().for_each(|variable| self.declaration(*variable)),
            Stmt::Block(items) => items.iter().for_each(|&item| self.statement(item)),
            Stmt::If(arms, otherwise) => self.branches(arms, *otherwise),
            Stmt::While(condition, body) => self.repeat(|walk| {
                walk.value(*condition);
                walk.zero_or_once(|walk| walk.statement(*body));
            }),
            Stmt::DoWhile(body, condition) => self.repeat(|walk| {
                walk.statement(*body);
                walk.value(*condition);
            }),
            Stmt::For(init, condition, step, body) => {
                init.iter().for_each(|&init| self.statement(init));
                self.repeat(|walk| {
                    condition.iter().for_each(|&condition| walk.effects(condition));
                    walk.zero_or_once(|walk| {
                        walk.statement(*body);
                        walk.live = true;
                        step.iter().for_each(|&step| walk.effects(step));
                    });
                });
            }
            Stmt::Switch(value, body) => self.switch(*value, *body),
            Stmt::Case(_) => self.case(),
            Stmt::Label(label) => self.label(*label),
            Stmt::Goto(label, target) => {
                target.iter().for_each(|&target| self.effects(target));
                label.iter().for_each(|&label| self.goto(label));
                self.live = false;
            }
            Stmt::Break => self.leave_loop(),
            Stmt::Continue => self.live = false,
            Stmt::Return(value) => self.leave_function(*value),
            Stmt::Asm(operands) => {
                for &operand in operands {
                    self.value(operand);
                    self.forget(operand);
                }
                self.stored.clear();
            }
            Stmt::Function(definition) => Walk::function(unit, self.found, definition),
        }
        self.context = context;
    }

    fn declaration(&mut self, variable: Declared) {
        let Some(init) = variable.init else { return };
        let object = self.unit.scopes.object(variable.object);
        let outer = std::mem::replace(&mut self.here, Here::Variable(variable.object, init));
        let value = self.variable_initializer(variable.object, init);
        let is_fixed = object.storage == Storage::Static && object.is_const;
        if object.storage == Storage::Local || is_fixed {
            self.note_assignment(variable.object, value);
            self.keep_untyped(variable.object, value);
            self.environment.set(variable.object, value);
        }
        self.here = outer;
    }

    /// Runs `branch` and takes its changes back: what they were, unless its end is not reached.
    fn branch(&mut self, branch: impl FnOnce(&mut Self)) -> Option<Changes> {
        let mark = self.environment.mark();
        let live = self.live;
        self.stored.clear();
        branch(self);
        self.stored.clear();
        let changes = self.live.then(|| self.environment.changes_since(mark));
        self.environment.revert_to(mark);
        self.live = live;
        changes
    }

    /// Runs what may not happen at all.
    pub(super) fn zero_or_once(&mut self, branch: impl FnOnce(&mut Self)) {
        if let Some(changes) = self.branch(branch) {
            self.environment.join(&mut self.found.values, &[changes], true);
        }
    }

    /// Runs one of two.
    pub(super) fn either(&mut self, one: impl FnOnce(&mut Self), other: impl FnOnce(&mut Self)) {
        let ends: Vec<Changes> = [self.branch(one), self.branch(other)].into_iter().flatten().collect();
        self.environment.join(&mut self.found.values, &ends, false);
    }

    fn branches(&mut self, arms: &[(ExprId, StmtId)], otherwise: Option<StmtId>) {
        let mut ends = Vec::new();
        for &(condition, body) in arms {
            self.value(condition);
            ends.extend(self.branch(|walk| walk.statement(body)));
        }
        let mut falls_through = otherwise.is_none();
        if let Some(otherwise) = otherwise {
            ends.extend(self.branch(|walk| walk.statement(otherwise)));
        }
        if ends.is_empty() && !falls_through {
            self.live = false;
            falls_through = true;
        }
        self.environment.join(&mut self.found.values, &ends, falls_through);
    }

    /// A loop: its first round sees what later rounds change.
    fn repeat(&mut self, round: impl Fn(&mut Self)) {
        let mark = self.environment.mark();
        self.breaks.push((mark, Vec::new()));
        self.loops += 1;
        self.stored.clear();
        if self.loops <= LOOPS_WALKED_TWICE {
            self.zero_or_once(&round);
        }
        round(self);
        self.stored.clear();
        self.loops -= 1;
        self.live = true;
        self.end_breaks(true);
    }

    fn end_breaks(&mut self, falls_through: bool) {
        if let Some((_, ends)) = self.breaks.pop() {
            self.environment.join(&mut self.found.values, &ends, falls_through);
        }
    }

    fn switch(&mut self, value: ExprId, body: StmtId) {
        self.value(value);
        let mark = self.environment.mark();
        self.breaks.push((mark, Vec::new()));
        let live = self.live;
        self.live = false;
        let end = self.branch(|walk| walk.statement(body));
        self.live = live;
        if let Some((_, ends)) = self.breaks.last_mut() {
            ends.extend(end);
        }
        // Without a default the switch may leave everything as it was.
        let all_assign =
            self.breaks.last().is_some_and(|(_, ends)| !ends.is_empty()) && self.has_default(body);
        self.end_breaks(!all_assign);
    }

    fn has_default(&self, body: StmtId) -> bool {
        match self.unit.tree.get_stmt(body) {
            Stmt::Case(None) => true,
            Stmt::Block(items) => {
                items.iter().any(|&item| matches!(self.unit.tree.get_stmt(item), Stmt::Case(None)))
            }
            _ => false,
        }
    }

    /// A case is reached from the head of its switch, and from the case before it.
    fn case(&mut self) {
        self.stored.clear();
        let Some(&(mark, _)) = self.breaks.last() else { return };
        let through = self.live.then(|| self.environment.changes_since(mark));
        self.environment.revert_to(mark);
        if let Some(changes) = through {
            self.environment.join(&mut self.found.values, &[changes], true);
        }
        self.live = true;
    }

    fn leave_loop(&mut self) {
        if self.live
            && let Some((mark, ends)) = self.breaks.last_mut()
            && ends.len() < MOST_JUMPS
        {
            ends.push(self.environment.changes_since(*mark));
        }
        self.live = false;
    }

    fn goto(&mut self, label: Symbol) {
        let jumps = self.gotos.entry(label).or_default();
        if self.live && jumps.len() < MOST_JUMPS {
            jumps.push(self.environment.changes_since(Mark::START));
        }
    }

    fn label(&mut self, label: Symbol) {
        self.stored.clear();
        let jumps = self.gotos.remove(&label).unwrap_or_default();
        self.environment.join(&mut self.found.values, &jumps, self.live || jumps.is_empty());
        self.live = true;
    }

    fn leave_function(&mut self, value: Option<ExprId>) {
        if let Some(expr) = value {
            let value = self.value(expr);
            self.receive(value, FoundSink::Return(Offset::None));
            let outer = std::mem::replace(&mut self.here, Here::Return(expr));
            self.convert(value, self.result);
            self.returned(expr, value);
            self.bind_result(expr);
            self.here = outer;
            if value != Values::OPAQUE && self.returns.len() < MOST_RETURNS && !self.returns.contains(&value)
            {
                self.returns.push(value);
            }
        }
        self.live = false;
    }
}
