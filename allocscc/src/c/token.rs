//! Tokens, and the names that the parser knows.

use rustc_hash::FxHashMap;

/// An interned identifier or keyword. The names of [`kw`] have fixed numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Symbol(pub u32);

/// A file name of a line marker.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FileId(pub u32);

/// Index of a token in its file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct TokenIndex(pub u32);

/// What a token is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenKind {
    /// An identifier or keyword.
    Name(Symbol),
    /// A preprocessing number.
    Number,
    /// A character constant with its prefix.
    Character,
    /// A string literal with its prefix.
    Text,
    /// A punctuator.
    Punct(Punct),
    /// A byte that starts no token.
    Stray,
    /// The end of the file.
    End,
}

/// A token and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// First byte in the preprocessed text.
    pub start: u32,
    /// One past its last byte.
    pub end: u32,
    /// Line by the markers.
    pub line: u32,
    /// File by the markers.
    pub file: FileId,
}

macro_rules! puncts {
    ($($name:ident $text:literal)*) => {
        /// A punctuator.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Punct { $(#[doc = concat!("`", $text, "`")] $name,)* }

        /// Every spelling, longer ones before their prefixes.
        pub(super) const PUNCTS: &[(&[u8], Punct)] = &[$(($text.as_bytes(), Punct::$name),)*];
    };
}

puncts! {
    ShlAssign "<<=" ShrAssign ">>=" Ellipsis "..."
    Arrow "->" Increment "++" Decrement "--" Shl "<<" Shr ">>" LessEqual "<=" GreaterEqual ">=" Equal "==" NotEqual "!="
    AndAnd "&&" OrOr "||" MulAssign "*=" DivAssign "/=" RemAssign "%=" AddAssign "+=" SubAssign "-=" AndAssign "&="
    XorAssign "^=" OrAssign "|=" Hashes "##" ColonColon "::"
    OpenBracket "[" CloseBracket "]" OpenParen "(" CloseParen ")" OpenBrace "{" CloseBrace "}" Dot "." And "&" Star "*"
    Plus "+" Minus "-" Tilde "~" Not "!" Slash "/" Percent "%" Less "<" Greater ">" Caret "^" Or "|" Question "?"
    Colon ":" Semicolon ";" Assign "=" Comma "," Hash "#"
}

/// Digraphs, longer ones before their prefixes.
pub(super) const DIGRAPHS: &[(&[u8], Punct)] = &[
    (b"<:", Punct::OpenBracket),
    (b":>", Punct::CloseBracket),
    (b"<%", Punct::OpenBrace),
    (b"%>", Punct::CloseBrace),
    (b"%:", Punct::Hash),
];

macro_rules! names {
    ($($name:ident $text:literal $(= $alias:literal)*;)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "they are the constants' names")]
        #[repr(u32)]
        enum Number { $($name,)* Count }

        /// The names that the parser knows.
        pub mod kw {
            use super::{Number, Symbol};
            $(#[doc = concat!("`", $text, "`")] pub const $name: Symbol = Symbol(Number::$name as u32);)*
        }

        const NAMES: &[(&str, &[&str])] = &[$(($text, &[$($alias),*]),)*];
        const _: () = assert!(NAMES.len() == Number::Count as usize);
    };
}

// First the words that can never be identifiers, then those that are words of C23 or of one compiler only where nothing of
// that name is declared, then functions with a syntax of their own.
names! {
    AUTO "auto"; BREAK "break"; CASE "case"; CHAR "char"; CONST "const" = "__const" = "__const__"; CONTINUE "continue";
    DEFAULT "default"; DO "do"; DOUBLE "double"; ELSE "else"; ENUM "enum"; EXTERN "extern"; FLOAT "float"; FOR "for";
    GOTO "goto"; IF "if"; INLINE "inline" = "__inline" = "__inline__"; INT "int"; LONG "long"; REGISTER "register";
    RESTRICT "restrict" = "__restrict" = "__restrict__"; RETURN "return"; SHORT "short"; SIGNED "signed" = "__signed" = "__signed__";
    SIZEOF "sizeof"; STATIC "static"; STRUCT "struct"; SWITCH "switch"; TYPEDEF "typedef"; UNION "union"; UNSIGNED "unsigned";
    VOID "void"; VOLATILE "volatile" = "__volatile" = "__volatile__"; WHILE "while";
    ALIGNAS "_Alignas"; ALIGNOF "_Alignof" = "__alignof" = "__alignof__"; ATOMIC "_Atomic"; BOOL "_Bool"; COMPLEX "_Complex" = "__complex" = "__complex__";
    GENERIC "_Generic"; IMAGINARY "_Imaginary"; NORETURN "_Noreturn"; STATIC_ASSERT "_Static_assert"; THREAD_LOCAL "_Thread_local" = "__thread";
    BIT_INT "_BitInt" = "_ExtInt"; FLOAT16 "_Float16" = "__fp16" = "__bf16"; FLOAT32 "_Float32"; FLOAT64 "_Float64"; FLOAT128 "_Float128" = "__float128";
    FLOAT32X "_Float32x"; FLOAT64X "_Float64x" = "__float80"; FLOAT128X "_Float128x"; DECIMAL32 "_Decimal32"; DECIMAL64 "_Decimal64"; DECIMAL128 "_Decimal128";
    INT128 "__int128" = "__int128__"; AUTO_TYPE "__auto_type"; TYPEOF "typeof" = "__typeof" = "__typeof__";
    TYPEOF_UNQUAL "__typeof_unqual__" = "__typeof_unqual";
    ASM "asm" = "__asm" = "__asm__"; ATTRIBUTE "__attribute__" = "__attribute"; EXTENSION "__extension__"; LABEL "__label__";
    REAL "__real__" = "__real"; IMAG "__imag__" = "__imag"; NULL "__null"; BUILTIN_VA_LIST "__builtin_va_list" = "__builtin_sysv_va_list";
    NULLABILITY "_Nonnull" = "_Nullable" = "_Null_unspecified" = "_Nullable_result" = "__unaligned" = "__ptr64" = "__ptr32" = "__seg_fs" = "__seg_gs";
    LAST_KEYWORD "\0last keyword";
    SOFT_BOOL "bool"; SOFT_TRUE "true"; SOFT_FALSE "false"; SOFT_NULLPTR "nullptr"; SOFT_CONSTEXPR "constexpr";
    SOFT_STATIC_ASSERT "static_assert"; SOFT_ALIGNAS "alignas"; SOFT_ALIGNOF "alignof"; SOFT_THREAD_LOCAL "thread_local";
    SOFT_TYPEOF_UNQUAL "typeof_unqual"; SOFT_INT128_T "__int128_t"; SOFT_UINT128_T "__uint128_t"; SOFT_MS_VA_LIST "__builtin_ms_va_list";
    LAST_SOFT_KEYWORD "\0last soft keyword";
    BUILTIN_OFFSETOF "__builtin_offsetof"; BUILTIN_VA_ARG "__builtin_va_arg"; BUILTIN_TYPES_COMPATIBLE "__builtin_types_compatible_p";
    BUILTIN_CHOOSE_EXPR "__builtin_choose_expr"; BUILTIN_CONVERT_VECTOR "__builtin_convertvector" = "__builtin_bit_cast";
    FUNC "__func__" = "__FUNCTION__" = "__PRETTY_FUNCTION__";
    ALIGNED "aligned" = "__aligned__"; PACKED "packed" = "__packed__"; VECTOR_SIZE "vector_size" = "__vector_size__";
    EXT_VECTOR "ext_vector_type" = "__ext_vector_type__"; MODE "mode" = "__mode__";
}

impl Symbol {
    /// A word that is never an identifier.
    #[must_use]
    pub fn is_keyword(self) -> bool {
        self < kw::LAST_KEYWORD
    }

    /// A word that is a keyword where nothing of its name is declared.
    #[must_use]
    pub fn is_soft_keyword(self) -> bool {
        self > kw::LAST_KEYWORD && self < kw::LAST_SOFT_KEYWORD
    }
}

/// The names of a file, interned; keywords and their aliases first.
pub struct Names<'a> {
    numbers: FxHashMap<&'a [u8], Symbol>,
    texts: Vec<&'a [u8]>,
}

impl<'a> Names<'a> {
    pub(super) fn new() -> Self {
        let mut numbers = FxHashMap::default();
        let mut texts = Vec::with_capacity(NAMES.len());
        for (index, (text, aliases)) in NAMES.iter().enumerate() {
            let symbol = Symbol(index as u32);
            texts.push(text.as_bytes());
            numbers.insert(text.as_bytes(), symbol);
            for alias in *aliases {
                numbers.insert(alias.as_bytes(), symbol);
            }
        }
        Names { numbers, texts }
    }

    pub(super) fn intern(&mut self, text: &'a [u8]) -> Symbol {
        if let Some(&symbol) = self.numbers.get(text) {
            return symbol;
        }
        let symbol = Symbol(self.texts.len() as u32);
        self.texts.push(text);
        self.numbers.insert(text, symbol);
        symbol
    }

    /// The symbol of a name, if the file has it.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<Symbol> {
        self.numbers.get(text.as_bytes()).copied()
    }

    /// The spelling of a symbol.
    #[must_use]
    pub fn bytes(&self, symbol: Symbol) -> &'a [u8] {
        self.texts[symbol.0 as usize]
    }

    /// The spelling of a symbol as text.
    #[must_use]
    pub fn text(&self, symbol: Symbol) -> String {
        String::from_utf8_lossy(self.bytes(symbol)).into_owned()
    }

    /// Number of symbols.
    #[must_use]
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Never: the keywords are always there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }
}
