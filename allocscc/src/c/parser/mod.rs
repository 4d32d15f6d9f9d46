//! The parser: recursive descent over the tokens of one file, declaring names as it goes.
//!
//! [`Parser::advance`] reads one external declaration. Files by what they read: `external`, `declarations`, `specifiers`,
//! `records`, `declarators`, `attributes`, `initializers`, `statements`, `expressions`, `primary`, `builtins`; `recovery`
//! finds the next external declaration after one that could not be read.

mod attributes;
mod builtins;
mod declarations;
mod declarators;
mod expressions;
mod external;
mod initializers;
mod primary;
mod records;
mod recovery;
mod specifiers;
mod statements;

use rustc_hash::FxHashMap;

use super::lexer::Tokens;
use super::scopes::{Entity, Scopes};
use super::syntax::{Declared, Definition, Expr, ExprId, InitId, Tree};
use super::token::{Punct, Symbol, Token, TokenIndex, TokenKind, kw};
use super::types::{TypeId, Types};

/// How deep brackets, statements and declarators may nest. No hand-written file comes near it.
const DEEPEST_NESTING: u32 = 1000;

/// The stack that parsing, and walking the trees, needs at most.
const STACK: usize = 256 << 20;

/// Why something could not be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rejected {
    /// The token that did not fit.
    pub at: TokenIndex,
    /// What was wrong with it.
    pub reason: &'static str,
}

impl Rejected {
    /// The reason, and the token in the text of the file.
    #[must_use]
    pub fn in_words(self, tokens: &Tokens<'_>) -> String {
        match String::from_utf8_lossy(tokens.text(tokens.get(self.at))) {
            text if text.is_empty() => self.reason.to_owned(),
            text => format!("{}, found `{text}`", self.reason),
        }
    }
}

/// Runs `read` with the stack that a parser needs, which is more than a thread has by default. `None` if there is no memory for it, or
/// if `read` panics.
pub fn with_stack<T: Send>(read: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| {
        let reader = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, read).ok()?;
        reader.join().ok()
    })
}

type Parse<T> = Result<T, Rejected>;

/// An external declaration.
#[derive(Debug)]
pub enum External {
    /// A function definition.
    Function(Definition),
    /// Variables, those with initialisers among them.
    Variables(Vec<Declared>),
    /// A declaration that defines nothing.
    Nothing,
}

/// Reads one file.
pub struct Parser<'a> {
    /// The file.
    pub tokens: &'a Tokens<'a>,
    /// The types met so far.
    pub types: Types,
    /// What names mean at this point.
    pub scopes: Scopes,
    /// The trees of the external declaration read last.
    pub tree: Tree,
    /// The external declarations that could not be read.
    pub skipped: Vec<Rejected>,
    at: TokenIndex,
    nesting: u32,
    va_list: Option<TypeId>,
    /// The initialisers that are a number only, by its text.
    numbers: FxHashMap<&'a [u8], InitId>,
}

impl<'a> Parser<'a> {
    /// A parser at the start of a file.
    #[must_use]
    pub fn new(tokens: &'a Tokens<'a>) -> Self {
        Parser {
            tokens,
            types: Types::default(),
            scopes: Scopes::new(&tokens.names),
            tree: Tree::default(),
            skipped: Vec::new(),
            at: TokenIndex(0),
            nesting: 0,
            va_list: None,
            numbers: FxHashMap::default(),
        }
    }

    fn token(&self) -> Token {
        self.tokens.get(self.at)
    }

    fn kind(&self) -> TokenKind {
        self.token().kind
    }

    fn kind_after(&self, ahead: u32) -> TokenKind {
        self.tokens.get(TokenIndex(self.at.0.saturating_add(ahead))).kind
    }

    fn bump(&mut self) {
        if (self.at.0 as usize) < self.tokens.tokens.len() - 1 {
            self.at.0 += 1;
        }
    }

    fn is(&self, punct: Punct) -> bool {
        self.kind() == TokenKind::Punct(punct)
    }

    fn is_after(&self, ahead: u32, punct: Punct) -> bool {
        self.kind_after(ahead) == TokenKind::Punct(punct)
    }

    fn is_word(&self, word: Symbol) -> bool {
        self.kind() == TokenKind::Name(word)
    }

    /// Whether the next token is a word of C23 that is not declared as something else.
    fn is_soft_word(&self, word: Symbol) -> bool {
        self.is_word(word) && self.scopes.find(word).is_none()
    }

    fn eat(&mut self, punct: Punct) -> bool {
        let found = self.is(punct);
        if found {
            self.bump();
        }
        found
    }

    fn eat_word(&mut self, word: Symbol) -> bool {
        let found = self.is_word(word);
        if found {
            self.bump();
        }
        found
    }

    fn reject<T>(&self, reason: &'static str) -> Parse<T> {
        Err(Rejected { at: self.at, reason })
    }

    fn expect(&mut self, punct: Punct, reason: &'static str) -> Parse<()> {
        if self.eat(punct) { Ok(()) } else { self.reject(reason) }
    }

    /// An identifier: a name that is no keyword.
    fn identifier(&self) -> Option<Symbol> {
        match self.kind() {
            TokenKind::Name(name) if !name.is_keyword() => Some(name),
            _ => None,
        }
    }

    fn typedef(&self, name: Symbol) -> Option<TypeId> {
        match self.scopes.find(name) {
            Some(Entity::Typedef(ty)) => Some(ty),
            _ => None,
        }
    }

    /// Runs `read` one level deeper, unless that is too deep.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        if self.nesting >= DEEPEST_NESTING {
            return self.reject("nested too deep");
        }
        self.nesting += 1;
        let result = read(self);
        self.nesting -= 1;
        result
    }

    fn make(&mut self, expr: Expr, start: TokenIndex, ty: TypeId) -> Parse<ExprId> {
        self.tree.expr(expr, start, ty).map_or_else(|| self.reject("expression too deep"), Ok)
    }

    fn type_of(&self, expr: ExprId) -> TypeId {
        self.tree.node(expr).ty
    }

    /// Reads over a balanced `( … )`.
    fn skip_parentheses(&mut self) -> Parse<()> {
        self.expect(Punct::OpenParen, "expected `(`")?;
        let mut depth = 1u32;
        while depth > 0 {
            match self.kind() {
                TokenKind::Punct(Punct::OpenParen) => depth += 1,
                TokenKind::Punct(Punct::CloseParen) => depth -= 1,
                TokenKind::End => return self.reject("the file ends inside `(`"),
                _ => {}
            }
            self.bump();
        }
        Ok(())
    }

    /// Whether the token begins declaration specifiers, storage classes included.
    fn starts_declaration(&self, kind: TokenKind) -> bool {
        let TokenKind::Name(name) = kind else { return false };
        self.starts_type(kind)
            || matches!(
                name,
                kw::TYPEDEF
                    | kw::EXTERN
                    | kw::STATIC
                    | kw::AUTO
                    | kw::REGISTER
                    | kw::INLINE
                    | kw::NORETURN
                    | kw::THREAD_LOCAL
            )
            || (matches!(name, kw::SOFT_CONSTEXPR | kw::SOFT_THREAD_LOCAL)
                && self.scopes.find(name).is_none())
    }

    /// Whether the token begins a type name.
    fn starts_type(&self, kind: TokenKind) -> bool {
        let TokenKind::Name(name) = kind else { return false };
        if name.is_keyword() {
            return specifiers::is_type_word(name);
        }
        match self.scopes.find(name) {
            Some(entity) => matches!(entity, Entity::Typedef(_)),
            None => specifiers::is_soft_type_word(name),
        }
    }

    /// The first kind behind any `__extension__`.
    fn kind_behind_extension(&self) -> TokenKind {
        let mut ahead = 0;
        while self.kind_after(ahead) == TokenKind::Name(kw::EXTENSION) {
            ahead += 1;
        }
        self.kind_after(ahead)
    }
}
