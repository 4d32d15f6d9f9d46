//! Finds where the next external declaration begins after one that could not be read.

use super::{Parser, Rejected};
use crate::c::token::{Punct, TokenIndex, TokenKind, kw};

impl Parser<'_> {
    /// Records the declaration that began at `start` as skipped and moves behind it.
    pub(super) fn recover(&mut self, start: TokenIndex, rejected: Rejected) {
        self.skipped.push(rejected);
        self.scopes.leave_to(0);
        self.nesting = 0;
        self.at = start;
        let (mut depth, mut parentheses) = (0u32, 0u32);
        let mut is_body = false;
        let mut before = TokenKind::End;
        let mut is_aggregate = false;
        loop {
            let kind = self.kind();
            match kind {
                TokenKind::End => return,
                TokenKind::Name(kw::STRUCT | kw::UNION | kw::ENUM) if depth == 0 => is_aggregate = true,
                TokenKind::Punct(Punct::Semicolon | Punct::Assign) if depth == 0 => {
                    is_aggregate = false;
                    let ends =
                        kind == TokenKind::Punct(Punct::Semicolon) && !self.is_in_parameter_declarations();
                    // A semicolon in parentheses belongs to a list of parameters, unless one parenthesis is missing.
                    if ends && (parentheses == 0 || self.ends_line()) {
                        self.bump();
                        return;
                    }
                }
                TokenKind::Punct(Punct::OpenBrace) => {
                    if depth == 0 {
                        let after_declarator = matches!(
                            before,
                            TokenKind::Punct(Punct::CloseParen | Punct::Semicolon | Punct::CloseBracket)
                        );
                        is_body = after_declarator && !self.is_tag_brace(is_aggregate, before);
                    }
                    depth += 1;
                }
                TokenKind::Punct(Punct::OpenParen) if depth == 0 => parentheses += 1,
                TokenKind::Punct(Punct::CloseParen) if depth == 0 => {
                    parentheses = parentheses.saturating_sub(1)
                }
                TokenKind::Punct(Punct::CloseBrace) => {
                    depth = depth.saturating_sub(1);
                    // A brace in the first column ends a definition in every style that is in use.
                    if (depth == 0 && is_body) || (depth > 0 && self.is_in_first_column()) {
                        self.bump();
                        return;
                    }
                }
                _ => {}
            }
            before = kind;
            self.bump();
        }
    }

    /// `struct __attribute__((packed)) {`: the parenthesis before the brace is an attribute's.
    fn is_tag_brace(&self, is_aggregate: bool, before: TokenKind) -> bool {
        is_aggregate && before == TokenKind::Punct(Punct::CloseParen) && {
            let mut depth = 0u32;
            let mut at = self.at.0;
            loop {
                at = at.saturating_sub(1);
                match self.tokens.get(TokenIndex(at)).kind {
                    TokenKind::Punct(Punct::CloseParen) => depth += 1,
                    TokenKind::Punct(Punct::OpenParen) => depth = depth.saturating_sub(1),
                    _ => {}
                }
                if depth == 0 || at == 0 {
                    break;
                }
            }
            self.tokens.get(TokenIndex(at.saturating_sub(1))).kind == TokenKind::Name(kw::ATTRIBUTE)
        }
    }

    /// `f(a) int a; {`: the semicolon stands before the body of an old-style definition.
    fn is_in_parameter_declarations(&self) -> bool {
        self.is_after(1, Punct::OpenBrace)
    }

    fn ends_line(&self) -> bool {
        let end = self.token().end as usize;
        matches!(self.tokens.source.get(end), None | Some(b'\n' | b'\r'))
    }

    fn is_in_first_column(&self) -> bool {
        let start = self.token().start as usize;
        start == 0 || self.tokens.source[start - 1] == b'\n'
    }
}
