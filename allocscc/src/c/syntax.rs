//! The trees of one external declaration: expressions, statements and initialisers in flat arenas.
//!
//! Names are resolved and expressions typed when a node is made. Nodes refer to each other by number, so a tree is freed
//! at once however deep it is; its depth is bounded ([`DEEPEST`]), so that those who walk it may recurse.

use super::scopes::ObjectId;
use super::token::{Symbol, TokenIndex};
use super::types::TypeId;

/// The deepest tree of expressions that is made.
pub const DEEPEST: u16 = 6000;

/// An expression.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ExprId(pub u32);

/// A statement.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StmtId(pub u32);

/// An initialiser.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct InitId(pub u32);

/// Operators with one operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnaryOp {
    /// `&`
    AddressOf,
    /// `*`
    Deref,
    /// `+`, `__extension__` and the parts of complex numbers.
    Plus,
    /// `-`
    Minus,
    /// `~`
    Complement,
    /// `!`
    Not,
    /// `++` and `--`, before or behind.
    Step,
}

/// Operators with two operands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum BinaryOp {
    Mul,
    Div,
    Rem,
    Add,
    Sub,
    Shl,
    Shr,
    Less,
    Greater,
    LessEqual,
    GreaterEqual,
    Equal,
    NotEqual,
    And,
    Xor,
    Or,
    AndAnd,
    OrOr,
}

/// An expression.
#[derive(Clone, Debug)]
pub enum Expr {
    /// An integer constant of any spelling, characters and enumeration constants included.
    Integer(i128),
    /// A floating constant.
    Float,
    /// A string literal.
    Text,
    /// A variable or function.
    Object(ObjectId),
    /// A name that nothing visible declares: a built-in or implicitly declared function.
    Undeclared(Symbol),
    /// One operand.
    Unary(UnaryOp, ExprId),
    /// Two operands.
    Binary(BinaryOp, ExprId, ExprId),
    /// `=` and its compounds.
    Assign(Option<BinaryOp>, ExprId, ExprId),
    /// `?:`; without the middle operand in GNU C.
    Conditional(ExprId, Option<ExprId>, ExprId),
    /// `,`
    Comma(ExprId, ExprId),
    /// A cast to the type of the node.
    Cast(ExprId),
    /// A compound literal of the type of the node.
    Compound(InitId),
    /// A call, and its closing parenthesis.
    Call(ExprId, Box<[ExprId]>, TokenIndex),
    /// `.` and `->`: the name and where it stands.
    Member {
        /// The struct, or the pointer to it.
        of: ExprId,
        /// It is `->`.
        arrow: bool,
        /// The member.
        name: Symbol,
        /// Where its name stands.
        at: TokenIndex,
    },
    /// `[]`
    Index(ExprId, ExprId),
    /// `sizeof` a type.
    SizeofType(TypeId),
    /// `sizeof` an expression.
    SizeofExpr(ExprId),
    /// `_Alignof` a type.
    Alignof(TypeId),
    /// `__builtin_offsetof`: the type, the path as written, the offset where it is known.
    Offsetof(TypeId, Box<str>, Option<u64>),
    /// `__builtin_va_arg` and other operations that only have a type.
    Opaque(Box<[ExprId]>),
    /// `({ … })`
    Statements(StmtId),
}

/// An expression, its place and its type.
#[derive(Clone, Debug)]
pub struct ExprNode {
    /// What it is.
    pub expr: Expr,
    /// Its first token.
    pub start: TokenIndex,
    /// Its type, before arrays and functions become pointers.
    pub ty: TypeId,
    depth: u16,
}

/// A variable declared in a function, with its initialiser.
#[derive(Clone, Copy, Debug)]
pub struct Declared {
    /// The variable.
    pub object: ObjectId,
    /// Its initialiser.
    pub init: Option<InitId>,
}

/// A function definition.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The function.
    pub object: ObjectId,
    /// `static`.
    pub is_static: bool,
    /// Its parameters.
    pub parameters: Vec<ObjectId>,
    /// What it returns.
    pub result: TypeId,
    /// Its body.
    pub body: StmtId,
    /// The closing brace of its body.
    pub end: TokenIndex,
}

/// A statement.
#[derive(Clone, Debug)]
pub enum Stmt {
    /// Nothing.
    Empty,
    /// An expression.
    Expr(ExprId),
    /// Variables with and without initialisers.
    Declaration(Box<[Declared]>),
    /// `{ … }`
    Block(Box<[StmtId]>),
    /// `if … else if … else`, however long.
    If(Box<[(ExprId, StmtId)]>, Option<StmtId>),
    /// `while`
    While(ExprId, StmtId),
    /// `do … while`
    DoWhile(StmtId, ExprId),
    /// `for`
    For(Option<StmtId>, Option<ExprId>, Option<ExprId>, StmtId),
    /// `switch`
    Switch(ExprId, StmtId),
    /// `case` and `default`, without what follows; the first value.
    Case(Option<ExprId>),
    /// A label, without what follows.
    Label(Symbol),
    /// `goto` a label, or a computed one.
    Goto(Option<Symbol>, Option<ExprId>),
    /// `break`
    Break,
    /// `continue`
    Continue,
    /// `return`
    Return(Option<ExprId>),
    /// The operands of an `asm`: whether each is written.
    Asm(Box<[ExprId]>),
    /// A nested function.
    Function(Box<Definition>),
}

/// A step to a part of what is initialised.
#[derive(Clone, Debug)]
pub enum Designator {
    /// `.name`
    Member(Symbol),
    /// `[index]` and `[first ... last]`
    Index(ExprId),
}

/// An initialiser.
#[derive(Clone, Debug)]
pub enum Init {
    /// An expression.
    Expr(ExprId),
    /// `{ … }`
    List(Box<[(Box<[Designator]>, InitId)]>),
}

/// The arenas of one external declaration.
#[derive(Default, Debug)]
pub struct Tree {
    exprs: Vec<ExprNode>,
    stmts: Vec<Stmt>,
    inits: Vec<Init>,
}

impl Tree {
    /// Adds an expression, unless that makes the tree too deep.
    pub fn expr(&mut self, expr: Expr, start: TokenIndex, ty: TypeId) -> Option<ExprId> {
        let mut depth = 0;
        expr.for_each_operand(|operand| depth = depth.max(self.node(operand).depth + 1));
        if depth > DEEPEST {
            return None;
        }
        self.exprs.push(ExprNode { expr, start, ty, depth });
        Some(ExprId(self.exprs.len() as u32 - 1))
    }

    /// Adds a statement.
    pub fn stmt(&mut self, stmt: Stmt) -> StmtId {
        self.stmts.push(stmt);
        StmtId(self.stmts.len() as u32 - 1)
    }

    /// Adds an initialiser.
    pub fn init(&mut self, init: Init) -> InitId {
        self.inits.push(init);
        InitId(self.inits.len() as u32 - 1)
    }

    /// An expression.
    #[must_use]
    pub fn node(&self, id: ExprId) -> &ExprNode {
        &self.exprs[id.0 as usize]
    }

    /// A statement.
    #[must_use]
    pub fn get_stmt(&self, id: StmtId) -> &Stmt {
        &self.stmts[id.0 as usize]
    }

    /// An initialiser.
    #[must_use]
    pub fn get_init(&self, id: InitId) -> &Init {
        &self.inits[id.0 as usize]
    }

    /// Frees all nodes; ids given before are void.
    pub fn clear(&mut self) {
        self.exprs.clear();
        self.stmts.clear();
        self.inits.clear();
    }
}

impl Expr {
    /// Calls `visit` for each operand that is an expression.
    pub fn for_each_operand(&self, mut visit: impl FnMut(ExprId)) {
        match self {
            Expr::Integer(_)
            | Expr::Float
            | Expr::Text
            | Expr::Object(_)
            | Expr::Undeclared(_)
            | Expr::Compound(_)
            | Expr::SizeofType(_)
            | Expr::Alignof(_)
            | Expr::Offsetof(..)
            | Expr::Statements(_) => {}
            Expr::Unary(_, operand) | Expr::Cast(operand) | Expr::SizeofExpr(operand) => visit(*operand),
            Expr::Member { of, .. } => visit(*of),
            Expr::Binary(_, left, right)
            | Expr::Assign(_, left, right)
            | Expr::Comma(left, right)
            | Expr::Index(left, right) => {
                visit(*left);
                visit(*right);
            }
            Expr::Conditional(condition, then, otherwise) => {
                visit(*condition);
                then.iter().for_each(|&then| visit(then));
                visit(*otherwise);
            }
            Expr::Call(callee, arguments, _) => {
                visit(*callee);
                arguments.iter().for_each(|&argument| visit(argument));
            }
            Expr::Opaque(operands) => operands.iter().for_each(|&operand| visit(operand)),
        }
    }
}
