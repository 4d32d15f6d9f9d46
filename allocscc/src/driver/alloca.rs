//! `alloca`: a second compilation of the sources that call it, in which each block gets a header that says what it is.
//!
//! Nothing else in a program tells where such a block ends, nor which call made it. So with `-fallocs-alloca`, when the compiler is done, and
//! only if a source calls it, the command is run once more with [`definition`]. That run is silent, and if it fails the first one is
//! repeated: diagnostics, dependency files and exit status are those of the command as it was given.
//!
//! It has to be asked for, because gcc makes other choices, of registers and of the order of operands, in a few functions of a large source
//! that do not call alloca, once others have other variables.

use std::ffi::OsString;

use super::language::Language;
use super::plan::{Action, Plan, Source, WordKind};
use super::units::SourceFacts;
use crate::image::allocas::{HEADER_SIZE, VARIABLE_PREFIX};

/// Whether a preprocessed source calls alloca in the spelling that [`definition`] defines, and in no other.
pub fn is_called_in(text: &[u8]) -> bool {
    const NAME: &[u8] = b"__builtin_alloca";
    let mut is_called = false;
    let names = text.windows(NAME.len()).enumerate().filter(|(_, word)| *word == NAME);
    for (at, _) in names {
        match text.get(at + NAME.len()) {
            // With an alignment of its own, a block is not where the library looks for it.
            Some(b'_') => return false,
            Some(next) if next.is_ascii_alphanumeric() => {}
            _ => is_called = true,
        }
    }
    is_called
}

/// Whether a command is to be run a second time.
pub fn is_worth_a_run(plan: &Plan, facts: &[(Source, anyhow::Result<SourceFacts>)]) -> bool {
    // These keep what the compiler makes on the way, which is to be what it made of the source as it stands.
    let keeps = |option: &str| option.starts_with("-save-temps") || option.starts_with("--save-temps");
    let keeps_files = plan
        .words
        .iter()
        .any(|word| word.kind == WordKind::Option && plan.text(word)[0].to_str().is_some_and(keeps));
    let only_c = plan.words.iter().all(|word| match word.kind {
        WordKind::Input(language) => {
            matches!(language, Language::C | Language::PreprocessedC | Language::LinkerInput)
        }
        _ => true,
    });
    let compiles = matches!(plan.action, Action::Compile | Action::Link);
    let calls = |(source, facts): &(Source, anyhow::Result<SourceFacts>)| {
        source.language == Language::C && facts.as_ref().is_ok_and(|facts| facts.calls_alloca)
    };
    plan.alloca && compiles && only_c && !keeps_files && facts.iter().any(calls)
}

/// The options of the second run: no warnings, and what `__builtin_alloca` is.
pub fn options() -> [OsString; 2] {
    ["-w".into(), format!("-D__builtin_alloca(n)={}", definition()).into()]
}

/// An expression that allocates the block behind its header; [`crate::image::allocas`] says what the header is.
///
/// The size goes through an assembler statement, or clang would put a block of constant size among the variables. The
/// instruction that loads its own end is the site; the line keeps the compiler from making one of two equal ones. All in one
/// `asm inline` counts as one instruction where gcc weighs what to inline, so that other functions stay as they are.
fn definition() -> String {
    const P: &str = VARIABLE_PREFIX;
    let instructions = [
        r"lea{q\t0(%%rip), %1|\t%1, [rip]}",
        r"mov{q\t%2, (%0)|\t[%0], %2}",
        r"mov{q\t%1, 8(%0)|\t[%0+8], %1}",
        r"mov{q\t%%rbp, 16(%0)|\t[%0+16], rbp}",
        r"xor{q\t%2, %1|\t%1, %2}",
        r"xor{q\t%0, %1|\t%1, %0}",
        r"mov{q\t%1, 24(%0)|\t[%0+24], %1}",
    ];
    let header = instructions.join(r"\n\t");
    format!(
        r#"__extension__ ({{ unsigned long {P}size = (n), {P}whole = {P}size + {HEADER_SIZE}, {P}site; void *{P}block;
            __asm__ ("" : "+r" ({P}whole));
            {P}block = __builtin_alloca ({P}whole);
            __asm__ __inline__ __volatile__ ("{header}\n\tadd{{q\t${HEADER_SIZE}, %0|\t%0, {HEADER_SIZE}}}"
                : "+&r" ({P}block), "=&r" ({P}site) : "r" ({P}size), "i" (__LINE__) : "memory", "cc");
            {P}block; }})"#
    )
    .lines()
    .map(str::trim)
    .collect::<Vec<_>>()
    .join(" ")
}

#[cfg(test)]
mod tests {
    use super::is_called_in;

    #[test]
    fn the_spelling_of_alloca_h_alone_counts() {
        let check = |text: &str, expect: bool| assert_eq!(is_called_in(text.as_bytes()), expect, "{text}");
        check("extern void *alloca (unsigned long);", false);
        check("p = __builtin_alloca (n);", true);
        check("p = __builtin_alloca", true);
        check("p = __builtin_allocate(n);", false);
        check("p = __builtin_alloca_with_align (n, 256); q = __builtin_alloca (3);", false);
    }
}
