//! The functions that allocate: the C library's, and those declared by hand.

use rustc_hash::FxHashMap;

/// What an allocation function does with an old block, or where its characters come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// It makes a new block.
    Fresh,
    /// It changes the size of a block, which keeps its type unless the size says otherwise.
    Resize,
    /// It makes a string.
    Text,
}

impl Kind {
    /// What a function does that does one or the other.
    #[must_use]
    pub fn or(self, other: Kind) -> Kind {
        match (self, other) {
            (Kind::Resize, _) | (_, Kind::Resize) => Kind::Resize,
            (Kind::Text, Kind::Text) => Kind::Text,
            _ => Kind::Fresh,
        }
    }
}

/// Where the new block is found.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Gives {
    /// It is returned.
    Result,
    /// It is stored through this argument.
    Output(u32),
    /// Somewhere in what the function makes: a row of a table. No function of the library does that.
    Within,
}

/// An allocation function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Allocation {
    /// The arguments whose product says what is allocated.
    pub sizes: Vec<u32>,
    /// What it does.
    pub kind: Kind,
    /// Where the block is found.
    pub gives: Gives,
    /// It is `operator new[]`: who calls it wants an array, and not one object that may be larger than it seems.
    pub makes_arrays: bool,
}

/// Functions declared by hand, from `LIBALLOCS_ALLOC_FNS`.
#[derive(Clone, Default, Debug)]
pub struct DeclaredFunctions {
    functions: FxHashMap<String, Allocation>,
}

impl DeclaredFunctions {
    /// Reads `xmalloc(Z)p xcalloc(zZ)p`: `z` a size, `Z` the size that gives the type, `p` a pointer, `i` an int.
    ///
    /// # Errors
    /// Says which word cannot be read, and why.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut functions = FxHashMap::default();
        for word in text.split_whitespace() {
            let (name, allocation) = declared(word).ok_or_else(|| {
                format!("`{word}` does not read NAME(ARGUMENTS)p with arguments of z, Z, p, i")
            })?;
            functions.insert(name, allocation);
        }
        Ok(DeclaredFunctions { functions })
    }

    /// The names declared, in alphabetical order.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.functions.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    /// Whether a function was declared by hand.
    #[must_use]
    pub fn declares(&self, name: &str) -> bool {
        self.functions.contains_key(name)
    }

    /// What a function does, if it allocates.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Allocation> {
        self.functions.get(name).cloned().or_else(|| library(name))
    }
}

fn declared(word: &str) -> Option<(String, Allocation)> {
    let (name, rest) = word.split_once('(')?;
    let (arguments, result) = rest.split_once(')')?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !is_name
        || result != "p"
        || !arguments.bytes().all(|byte| matches!(byte, b'z' | b'Z' | b'p' | b'P' | b'i'))
    {
        return None;
    }
    let all = |wanted: u8| {
        arguments.bytes().enumerate().filter(move |&(_, byte)| byte == wanted).map(|(index, _)| index as u32)
    };
    let sizes = all(b'Z').chain(all(b'z')).collect();
    let kind = if arguments.starts_with('p') { Kind::Resize } else { Kind::Fresh };
    Some((name.to_owned(), Allocation { sizes, kind, gives: Gives::Result, makes_arrays: false }))
}

/// The C library's own, and `operator new`.
fn library(name: &str) -> Option<Allocation> {
    let (sizes, kind, gives): (&[u32], Kind, Gives) = match name {
        name if is_operator_new(name) => (&[0], Kind::Fresh, Gives::Result),
        "malloc" | "valloc" | "pvalloc" | "alloca" => (&[0], Kind::Fresh, Gives::Result),
        "alloca_with_align" | "alloca_with_align_and_max" => (&[0], Kind::Fresh, Gives::Result),
        "calloc" => (&[0, 1], Kind::Fresh, Gives::Result),
        "memalign" | "aligned_alloc" => (&[1], Kind::Fresh, Gives::Result),
        "posix_memalign" => (&[2], Kind::Fresh, Gives::Output(0)),
        "realloc" => (&[1], Kind::Resize, Gives::Result),
        "reallocarray" => (&[1, 2], Kind::Resize, Gives::Result),
        "strdup" | "__strdup" | "strndup" | "__strndup" => (&[], Kind::Text, Gives::Result),
        "asprintf" | "vasprintf" | "__asprintf" | "__asprintf_chk" | "__vasprintf_chk" => {
            (&[], Kind::Text, Gives::Output(0))
        }
        "getline" | "getdelim" | "__getdelim" => (&[], Kind::Text, Gives::Output(0)),
        _ => return None,
    };
    let makes_arrays = name.starts_with("_Znam");
    Some(Allocation { sizes: sizes.to_vec(), kind, gives, makes_arrays })
}

/// Whether a symbol is one of the forms of `operator new` of C++ that a program can replace, which are those that allocate.
#[must_use]
pub fn is_operator_new(symbol: &str) -> bool {
    let rest = symbol.strip_prefix("_Znwm").or_else(|| symbol.strip_prefix("_Znam"));
    rest.is_some_and(|rest| {
        matches!(rest, "" | "RKSt9nothrow_t" | "St11align_val_t" | "St11align_val_tRKSt9nothrow_t")
    })
}

/// Whether a function of the C library reads or writes bytes where this argument points; `is_byte` says if an argument is the size of
/// one, `counts_objects` if it is the size of something larger.
#[must_use]
pub fn moves_bytes(
    name: &str,
    argument: u32,
    is_byte: impl Fn(u32) -> bool,
    counts_objects: impl Fn(u32) -> bool,
) -> bool {
    match name {
        "fread" | "fwrite" | "fread_unlocked" | "fwrite_unlocked" => {
            argument == 0 && is_byte(1) && !counts_objects(2)
        }
        "read" | "write" | "pread" | "pwrite" | "pread64" | "pwrite64" | "recv" | "send" | "recvfrom"
        | "sendto" => argument == 1 && !counts_objects(2),
        _ => false,
    }
}

/// Whether a function of the C library leaves it open what a pointer to void points to.
#[must_use]
pub fn takes_anything(name: &str) -> bool {
    let name = name.strip_prefix("__builtin_").unwrap_or(name);
    let name = name.strip_prefix("__").and_then(|name| name.strip_suffix("_chk")).unwrap_or(name);
    matches!(
        name,
        "memcpy"
            | "memmove"
            | "memset"
            | "memcmp"
            | "memchr"
            | "free"
            | "realloc"
            | "reallocarray"
            | "fread"
            | "fwrite"
            | "fread_unlocked"
            | "fwrite_unlocked"
            | "printf"
            | "fprintf"
            | "snprintf"
            | "sprintf"
            | "object_size"
            | "prefetch"
            | "expect"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_written_declarations() {
        let declared = DeclaredFunctions::parse("xmalloc(Z)p xcalloc(zZ)p  xrealloc(pZ)p").unwrap();
        assert_eq!(declared.names(), ["xcalloc", "xmalloc", "xrealloc"]);
        let sizes = |name| declared.find(name).map(|allocation| (allocation.sizes, allocation.kind));
        assert_eq!(sizes("xmalloc"), Some((vec![0], Kind::Fresh)));
        assert_eq!(sizes("xcalloc"), Some((vec![1, 0], Kind::Fresh)));
        assert_eq!(sizes("xrealloc"), Some((vec![1], Kind::Resize)));
        assert_eq!(sizes("calloc"), Some((vec![0, 1], Kind::Fresh)));
        assert_eq!(sizes("free"), None);
    }

    #[test]
    fn bad_declarations_name_the_word() {
        for bad in ["xmalloc", "xmalloc(Q)p", "(Z)p", "xmalloc(Z)", "x malloc(Z)p"] {
            assert!(DeclaredFunctions::parse(bad).is_err(), "{bad}");
        }
    }
}
