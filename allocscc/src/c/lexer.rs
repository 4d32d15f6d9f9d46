//! Cuts preprocessed C into tokens, and follows the line markers.

use rustc_hash::FxHashMap;

use super::token::{DIGRAPHS, FileId, Names, PUNCTS, Punct, Token, TokenIndex, TokenKind};

/// A file cut into tokens. The last token is [`TokenKind::End`].
pub struct Tokens<'a> {
    /// The preprocessed text.
    pub source: &'a [u8],
    /// The tokens.
    pub tokens: Vec<Token>,
    /// The names in it.
    pub names: Names<'a>,
    files: Vec<String>,
    packs: Vec<(TokenIndex, u64)>,
}

impl<'a> Tokens<'a> {
    /// A token; the end token for any index behind it.
    #[must_use]
    pub fn get(&self, index: TokenIndex) -> Token {
        self.tokens[(index.0 as usize).min(self.tokens.len() - 1)]
    }

    /// The text of a token.
    #[must_use]
    pub fn text(&self, token: Token) -> &'a [u8] {
        &self.source[token.start as usize..token.end as usize]
    }

    /// The name of a file.
    #[must_use]
    pub fn file(&self, file: FileId) -> &str {
        &self.files[file.0 as usize]
    }

    /// The `#pragma pack` alignment in force at a token; 0 for none.
    #[must_use]
    pub fn pack_at(&self, index: TokenIndex) -> u64 {
        let after = self.packs.partition_point(|&(from, _)| from <= index);
        after.checked_sub(1).map_or(0, |last| self.packs[last].1)
    }
}

/// Cuts a preprocessed file into tokens. The source must be shorter than 4 GiB.
#[must_use]
pub fn tokenize(source: &[u8]) -> Tokens<'_> {
    let mut lexer = Lexer {
        source,
        at: 0,
        line: 1,
        file: FileId(0),
        tokens: Vec::with_capacity(source.len() / 6),
        names: Names::new(),
        files: vec![String::new()],
        file_ids: FxHashMap::default(),
        packs: Vec::new(),
        pack_stack: Vec::new(),
    };
    lexer.run();
    Tokens { source, tokens: lexer.tokens, names: lexer.names, files: lexer.files, packs: lexer.packs }
}

struct Lexer<'a> {
    source: &'a [u8],
    at: usize,
    line: u32,
    file: FileId,
    tokens: Vec<Token>,
    names: Names<'a>,
    files: Vec<String>,
    file_ids: FxHashMap<&'a [u8], FileId>,
    packs: Vec<(TokenIndex, u64)>,
    pack_stack: Vec<u64>,
}

fn starts_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte == b'$' || byte >= 0x80
}

fn continues_name(byte: u8) -> bool {
    starts_name(byte) || byte.is_ascii_digit()
}

impl<'a> Lexer<'a> {
    fn peek(&self, ahead: usize) -> u8 {
        self.source.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn run(&mut self) {
        let mut line_start = true;
        while self.at < self.source.len() {
            let byte = self.source[self.at];
            match byte {
                b'\n' => {
                    self.at += 1;
                    self.line = self.line.wrapping_add(1);
                    line_start = true;
                }
                b' ' | b'\t' | b'\r' | 0x0b | 0x0c => self.at += 1,
                b'\\' if matches!(self.peek(1), b'\n' | b'\r') => self.at += 1,
                b'#' if line_start => self.directive(),
                b'/' if self.peek(1) == b'*' => self.block_comment(),
                b'/' if self.peek(1) == b'/' => drop(self.skip_line()),
                _ => {
                    line_start = false;
                    self.token(byte);
                }
            }
        }
        self.push(TokenKind::End, self.at, self.at, self.line);
    }

    fn push(&mut self, kind: TokenKind, start: usize, end: usize, line: u32) {
        self.tokens.push(Token { kind, start: start as u32, end: end as u32, line, file: self.file });
    }

    fn skip_line(&mut self) -> &'a [u8] {
        let rest = &self.source[self.at..];
        let length = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// Comments are there with `-C` only.
    fn block_comment(&mut self) {
        self.at += 2;
        while self.at < self.source.len() && !(self.peek(0) == b'*' && self.peek(1) == b'/') {
            self.line = self.line.wrapping_add(u32::from(self.source[self.at] == b'\n'));
            self.at += 1;
        }
        self.at = (self.at + 2).min(self.source.len());
    }

    fn directive(&mut self) {
        let line = self.skip_line();
        let mut words = line[1..].trim_ascii();
        if let Some(rest) = words.strip_prefix(b"line") {
            words = rest.trim_ascii_start();
        } else if let Some(rest) = words.strip_prefix(b"pragma") {
            self.pragma(rest);
            return;
        }
        let digits = words.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let Some(number) =
            std::str::from_utf8(&words[..digits]).ok().and_then(|text| text.parse::<u32>().ok())
        else {
            return;
        };
        // The newline that ends the marker counts one up again.
        self.line = number.wrapping_sub(1);
        let rest = words[digits..].trim_ascii_start();
        if rest.first() == Some(&b'"') {
            self.enter_file(rest);
        }
    }

    fn enter_file(&mut self, quoted: &'a [u8]) {
        let mut end = 1;
        while end < quoted.len() && quoted[end] != b'"' {
            end += if quoted[end] == b'\\' { 2 } else { 1 };
        }
        let raw = &quoted[1..end.min(quoted.len())];
        let next = FileId(self.files.len() as u32);
        self.file = *self.file_ids.entry(raw).or_insert(next);
        if self.file == next {
            self.files.push(unescape_file(raw));
        }
    }

    /// `pack` is the only pragma that changes what types are.
    fn pragma(&mut self, rest: &[u8]) {
        let text = String::from_utf8_lossy(rest);
        let Some(arguments) = text.trim().strip_prefix("pack") else { return };
        let Some(arguments) = arguments.trim().strip_prefix('(').and_then(|rest| rest.split(')').next())
        else {
            return;
        };
        let mut current = self.packs.last().map_or(0, |&(_, pack)| pack);
        let mut popped = false;
        for word in arguments.split(',').map(str::trim) {
            match word {
                "push" => self.pack_stack.push(current),
                "pop" => {
                    current = self.pack_stack.pop().unwrap_or(0);
                    popped = true;
                }
                "" => current = 0,
                _ if popped => {}
                _ => current = word.parse().unwrap_or(current),
            }
        }
        self.packs.push((TokenIndex(self.tokens.len() as u32), current));
    }

    fn token(&mut self, byte: u8) {
        match byte {
            b'0'..=b'9' => self.number(),
            b'.' if self.peek(1).is_ascii_digit() => self.number(),
            b'"' | b'\'' => self.quoted(self.at, byte),
            _ if starts_name(byte) || (byte == b'\\' && matches!(self.peek(1), b'u' | b'U')) => self.name(),
            _ => self.punct(),
        }
    }

    fn number(&mut self) {
        let start = self.at;
        self.at += 1;
        loop {
            let byte = self.peek(0);
            let last = self.source[self.at - 1];
            let exponent_sign = matches!(byte, b'+' | b'-') && matches!(last, b'e' | b'E' | b'p' | b'P');
            let separator = byte == b'\'' && last != b'\'' && continues_name(self.peek(1));
            if !(continues_name(byte) || byte == b'.' || separator || exponent_sign) {
                break;
            }
            self.at += 1;
        }
        self.push(TokenKind::Number, start, self.at, self.line);
    }

    fn name(&mut self) {
        let start = self.at;
        while continues_name(self.peek(0)) || (self.peek(0) == b'\\' && matches!(self.peek(1), b'u' | b'U')) {
            self.at += 1;
        }
        let text = &self.source[start..self.at];
        let quote = self.peek(0);
        match text {
            b"L" | b"u" | b"U" | b"u8" if matches!(quote, b'"' | b'\'') => self.quoted(start, quote),
            b"R" | b"LR" | b"uR" | b"UR" | b"u8R" if quote == b'"' => self.raw_string(start),
            b"_Pragma" => self.pragma_operator(),
            _ => {
                let symbol = self.names.intern(text);
                self.push(TokenKind::Name(symbol), start, self.at, self.line);
            }
        }
    }

    /// A literal whose opening quote is the next byte. A newline ends it: the literal was broken.
    fn quoted(&mut self, start: usize, quote: u8) {
        self.at += 1;
        while self.at < self.source.len() {
            match self.source[self.at] {
                b'\\' if self.peek(1) != b'\n' => self.at += 2,
                b'\n' => break,
                byte => {
                    self.at += 1;
                    if byte == quote {
                        break;
                    }
                }
            }
        }
        self.at = self.at.min(self.source.len());
        let kind = if quote == b'"' { TokenKind::Text } else { TokenKind::Character };
        self.push(kind, start, self.at, self.line);
    }

    fn raw_string(&mut self, start: usize) {
        let line = self.line;
        let open = self.at + 1;
        let delimiter = self.source[open..].iter().take(17).position(|&byte| byte == b'(');
        let Some(length) = delimiter else { return self.quoted(start, b'"') };
        let mut closing = vec![b')'];
        closing.extend_from_slice(&self.source[open..open + length]);
        closing.push(b'"');
        let body = &self.source[open..];
        let end = body.windows(closing.len()).position(|window| window == closing);
        self.at = end.map_or(self.source.len(), |end| open + end + closing.len());
        let newlines = self.source[start..self.at].iter().filter(|&&byte| byte == b'\n').count();
        self.push(TokenKind::Text, start, self.at, line);
        self.line = self.line.wrapping_add(newlines as u32);
    }

    /// `_Pragma ("…")` stands wherever white space may.
    fn pragma_operator(&mut self) {
        let line = self.line;
        while matches!(self.peek(0), b' ' | b'\t' | b'\n' | b'\r') {
            self.line = self.line.wrapping_add(u32::from(self.peek(0) == b'\n'));
            self.at += 1;
        }
        if self.peek(0) != b'(' {
            return;
        }
        let rest = &self.source[self.at..];
        let open = rest.iter().position(|&byte| matches!(byte, b'"' | b')' | b'\n'));
        if let Some(open) = open.filter(|&open| rest[open] == b'"') {
            self.at += open;
            let count = self.tokens.len();
            self.quoted(self.at, b'"');
            if let Some(text) =
                self.tokens.get(count).map(|token| &self.source[token.start as usize..token.end as usize])
            {
                self.pragma(
                    text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")).unwrap_or(text),
                );
            }
            self.tokens.truncate(count);
        }
        while self.at < self.source.len() && self.line == line && !matches!(self.peek(0), b')' | b'\n') {
            self.at += 1;
        }
        if self.peek(0) == b')' {
            self.at += 1;
        }
    }

    fn punct(&mut self) {
        let rest = &self.source[self.at..];
        let found = DIGRAPHS.iter().chain(candidates(rest[0])).find(|(text, _)| rest.starts_with(text));
        let (length, kind) = match found {
            // `::` is one token in C23 attributes only; `a ? b ::c` does not occur in C.
            Some((text, punct)) => (text.len(), TokenKind::Punct(*punct)),
            None => (1, TokenKind::Stray),
        };
        self.push(kind, self.at, self.at + length, self.line);
        self.at += length;
    }
}

fn candidates(first: u8) -> impl Iterator<Item = &'static (&'static [u8], Punct)> {
    PUNCTS.iter().filter(move |(text, _)| text[0] == first)
}

fn unescape_file(raw: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut at = 0;
    while at < raw.len() {
        if raw[at] != b'\\' || at + 1 == raw.len() {
            bytes.push(raw[at]);
            at += 1;
            continue;
        }
        let octal = raw[at + 1..].iter().take(3).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
        if octal == 3 {
            let value =
                raw[at + 1..at + 4].iter().fold(0u32, |value, byte| value * 8 + u32::from(byte - b'0'));
            bytes.push(value as u8);
            at += 4;
        } else {
            bytes.push(raw[at + 1]);
            at += 2;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
