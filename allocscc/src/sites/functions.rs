//! The functions that allocate: the C library's, and those declared by hand.

use allocs_metadata::{HookAction, HookRecord, REGISTER_ARGUMENTS};
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

/// A function of a heap, as its calls are to be seen while the program runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeapFunction {
    /// What it does.
    pub action: HookAction,
    /// A bit for each argument of which the product is the size.
    pub sizes: u8,
    /// The argument that is the block, if it takes one.
    pub block: u8,
    /// The argument through which the new block is stored, or [`HookRecord::RETURNS`].
    pub output: u8,
}

/// Functions declared by hand, from `LIBALLOCS_ALLOC_FNS` and, for pools, `LIBALLOCS_SUBALLOC_FNS` and `LIBALLOCS_SUBFREE_FNS`.
#[derive(Clone, Default, Debug)]
pub struct DeclaredFunctions {
    functions: FxHashMap<String, Allocation>,
    pools: FxHashMap<String, HeapFunction>,
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
        Ok(DeclaredFunctions { functions, pools: FxHashMap::default() })
    }

    /// Adds functions of pools: `pool_alloc(pZ)p pool_resize(pPZ)p`. `P` is the block that a resized one takes over. Where there is
    /// none, and several arguments are pointers, the last one is.
    ///
    /// # Errors
    /// Says which word cannot be read, and why.
    pub fn add_pools(&mut self, text: &str) -> Result<(), String> {
        for word in text.split_whitespace() {
            let bad = || {
                format!(
                    "`{word}` does not read NAME(ARGUMENTS)p with arguments of z, Z, p, P, i, at most six, and a size"
                )
            };
            let (name, mut allocation) =
                declared(word).filter(|(_, it)| !it.sizes.is_empty()).ok_or_else(bad)?;
            let letters = arguments(word)
                .filter(|letters| letters.len() <= REGISTER_ARGUMENTS.into())
                .ok_or_else(bad)?;
            let pointers: Vec<usize> = places(letters, b'p').collect();
            let taken = places(letters, b'P').next().or_else(|| pointers.get(1..)?.last().copied());
            allocation.kind = if taken.is_some() { Kind::Resize } else { Kind::Fresh };
            let function = HeapFunction {
                action: if taken.is_some() { HookAction::Reallocate } else { HookAction::Allocate },
                sizes: allocation.sizes.iter().fold(0, |bits, size| bits | 1 << size),
                block: taken.unwrap_or(0) as u8,
                output: HookRecord::RETURNS,
            };
            self.functions.insert(name.clone(), allocation);
            self.pools.insert(name, function);
        }
        Ok(())
    }

    /// Adds functions that free what those of [`DeclaredFunctions::add_pools`] gave: `pool_free(pP)->pool_alloc`.
    ///
    /// # Errors
    /// Says which word cannot be read, and why.
    pub fn add_pool_frees(&mut self, text: &str) -> Result<(), String> {
        for word in text.split_whitespace() {
            let bad = || {
                format!(
                    "`{word}` does not read NAME(ARGUMENTS)->ALLOCATOR with one argument of P among at most six"
                )
            };
            let (function, allocator) = word.split_once("->").ok_or_else(bad)?;
            let letters = arguments(function).filter(|letters| letters.len() <= REGISTER_ARGUMENTS.into());
            let (Some(letters), Some((name, ""))) = (
                letters,
                function.split_once('(').and_then(|(name, rest)| Some((name, rest.split_once(')')?.1))),
            ) else {
                return Err(bad());
            };
            let [block] = places(letters, b'P').collect::<Vec<_>>()[..] else { return Err(bad()) };
            if !is_name(name) {
                return Err(bad());
            }
            if !self.pools.contains_key(allocator) {
                return Err(format!(
                    "`{word}`: `{allocator}` is not declared as one that allocates from a pool"
                ));
            }
            let function = HeapFunction {
                action: HookAction::Free,
                sizes: 0,
                block: block as u8,
                output: HookRecord::RETURNS,
            };
            self.pools.insert(name.to_owned(), function);
        }
        Ok(())
    }

    /// What a function does for a declared pool.
    #[must_use]
    pub fn pool(&self, name: &str) -> Option<HeapFunction> {
        self.pools.get(name).copied()
    }

    /// The names of the functions of declared pools, in alphabetical order.
    #[must_use]
    pub fn pools(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.pools.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    /// Whether a function was declared to hand a block of the C library's heap on to its caller.
    #[must_use]
    pub fn is_wrapper(&self, name: &str) -> bool {
        self.declares(name) && !self.pools.contains_key(name)
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
    let (_, result) = rest.split_once(')')?;
    let arguments = arguments(word)?;
    if !is_name(name) || result != "p" {
        return None;
    }
    let all = |wanted: u8| places(arguments, wanted).map(|index| index as u32);
    let sizes = all(b'Z').chain(all(b'z')).collect();
    let kind = if arguments.starts_with('p') { Kind::Resize } else { Kind::Fresh };
    Some((name.to_owned(), Allocation { sizes, kind, gives: Gives::Result, makes_arrays: false }))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The letters between the parentheses, if each is one that an argument can have.
fn arguments(word: &str) -> Option<&str> {
    let letters = word.split_once('(')?.1.split_once(')')?.0;
    letters.bytes().all(|byte| matches!(byte, b'z' | b'Z' | b'p' | b'P' | b'i')).then_some(letters)
}

/// Where a letter stands.
fn places(letters: &str, wanted: u8) -> impl Iterator<Item = usize> {
    letters.bytes().enumerate().filter(move |&(_, byte)| byte == wanted).map(|(index, _)| index)
}

/// What a function of the `malloc` family does, for a program that has its own.
#[must_use]
pub fn own_malloc(name: &str) -> Option<HeapFunction> {
    if name == "free" || name == "cfree" {
        return Some(HeapFunction {
            action: HookAction::Free,
            sizes: 0,
            block: 0,
            output: HookRecord::RETURNS,
        });
    }
    let is_own = !name.starts_with("alloca") && !is_operator_new(name);
    let Allocation { sizes, kind, gives, .. } = library(name).filter(|_| is_own)?;
    let action = match kind {
        Kind::Fresh => HookAction::Allocate,
        Kind::Resize => HookAction::Reallocate,
        Kind::Text => return None,
    };
    let sizes = sizes.iter().fold(0, |bits, size| bits | 1 << size);
    let output = match gives {
        Gives::Result => HookRecord::RETURNS,
        Gives::Output(argument) => argument as u8,
        Gives::Within => return None,
    };
    Some(HeapFunction { action, sizes, block: 0, output })
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
    fn pools() {
        let mut declared = DeclaredFunctions::parse("xmalloc(Z)p").unwrap();
        declared.add_pools("get(pZ)p getn(pzZ)p grow(pPZ)p move(ppZ)p").unwrap();
        declared.add_pool_frees("put(pP)->get").unwrap();
        let check = |name: &str, action, sizes, block| {
            let function = HeapFunction { action, sizes, block, output: HookRecord::RETURNS };
            assert_eq!(declared.pool(name), Some(function), "{name}");
        };
        check("get", HookAction::Allocate, 0b10, 0);
        check("getn", HookAction::Allocate, 0b110, 0);
        check("grow", HookAction::Reallocate, 0b100, 1);
        check("move", HookAction::Reallocate, 0b100, 1);
        check("put", HookAction::Free, 0, 1);
        assert_eq!(declared.pool("xmalloc"), None);
        assert_eq!(declared.find("get").map(|it| it.kind), Some(Kind::Fresh));
        assert_eq!(declared.find("grow").map(|it| it.kind), Some(Kind::Resize));
        assert_eq!(declared.find("put"), None);
        assert_eq!((declared.is_wrapper("xmalloc"), declared.is_wrapper("get")), (true, false));
        assert_eq!(declared.pools(), ["get", "getn", "grow", "move", "put"]);
    }

    #[test]
    fn bad_pools_name_the_word() {
        for bad in ["get", "get(p)p", "get(pQ)p", "get(ppppppZ)p", "(Z)p"] {
            let error = DeclaredFunctions::default().add_pools(bad).unwrap_err();
            assert!(error.contains(bad), "{error}");
        }
        for bad in ["put(pP)", "put(pp)->get", "put(PP)->get", "put(P)p->get", "(P)->get", "put(P)->nothing"]
        {
            let mut declared = DeclaredFunctions::default();
            declared.add_pools("get(Z)p").unwrap();
            let error = declared.add_pool_frees(bad).unwrap_err();
            assert!(error.contains(bad), "{error}");
        }
    }

    #[test]
    fn the_malloc_family() {
        let check = |name: &str, action, sizes, output| {
            let function = HeapFunction { action, sizes, block: 0, output };
            assert_eq!(own_malloc(name), Some(function), "{name}");
        };
        check("malloc", HookAction::Allocate, 0b1, HookRecord::RETURNS);
        check("calloc", HookAction::Allocate, 0b11, HookRecord::RETURNS);
        check("realloc", HookAction::Reallocate, 0b10, HookRecord::RETURNS);
        check("posix_memalign", HookAction::Allocate, 0b100, 0);
        check("free", HookAction::Free, 0, HookRecord::RETURNS);
        for other in ["alloca", "strdup", "main"] {
            assert_eq!(own_malloc(other), None, "{other}");
        }
    }

    #[test]
    fn bad_declarations_name_the_word() {
        for bad in ["xmalloc", "xmalloc(Q)p", "(Z)p", "xmalloc(Z)", "x malloc(Z)p"] {
            assert!(DeclaredFunctions::parse(bad).is_err(), "{bad}");
        }
    }
}
