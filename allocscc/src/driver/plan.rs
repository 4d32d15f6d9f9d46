//! From a command line to what the command will do: a pure function, and plain data.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::arguments::Arguments;
use super::compiler::Driven;
use super::debug::DebugRequest;
use super::inputs::LinkInputs;
use super::language::Language;
use super::parser;

/// What one command line asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// The compiler that the command line is for.
    pub driven: Driven,
    /// The command line itself.
    pub arguments: Arguments,
    /// The meaning of each expanded word.
    pub words: Vec<Word>,
    /// What the driver does about it.
    pub action: Action,
    /// C and C++ sources among the inputs.
    pub sources: Vec<Source>,
    /// The value of the last `-o`.
    pub output: Option<PathBuf>,
    /// Debug info asked for.
    pub debug: DebugRequest,
    /// Symbols or debug info to be taken out by the linker.
    pub strip: Strip,
    /// What is linked besides the sources.
    pub inputs: LinkInputs,
    /// `-flto` is on.
    pub lto: bool,
    /// `-static` or `-static-pie`.
    pub is_static: bool,
    /// `-r`: the output is an object.
    pub is_relocatable: bool,
    /// `-shared`.
    pub is_shared: bool,
    /// `-Wallocs`.
    pub warn: bool,
    /// `-gallocs`: the debug information is to say what calls allocate.
    pub alloc_types: bool,
    /// `-fallocs-alloca`: blocks of alloca are to say what they are.
    pub alloca: bool,
    /// `-v`, `--version` or `--help`: the compiler speaks about itself, and so do we.
    pub introduces_itself: Option<Introduction>,
}

/// Where the compiler prints what it says about itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Introduction {
    /// `--version`, `--help`: on the standard output.
    Output,
    /// `-v`: on the standard error.
    Error,
}

/// What the driver does about a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// The compiler gets the command as it stands, but for our own options.
    Pass(Reason),
    /// The compiler gets the command and the directory of our headers: it only preprocesses, or stops before the assembler.
    AddHeaders,
    /// A precompiled header: it serves only compilations with the same debug options, so it gets those that we add.
    PrecompileHeader,
    /// Sources to objects (`-c`).
    Compile,
    /// A link, with or without sources.
    Link,
}

/// Why a command passes through unchanged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// There is no input, or the compiler only prints something.
    NothingToCompile,
    /// Languages other than C and C++ only.
    OtherLanguages,
    /// Not for x86-64 GNU/Linux.
    OtherTarget,
    /// Not to an object file in the first place.
    OtherOutput,
    /// A debug format or mode that ours would disturb.
    UnusualDebugInfo,
    /// The compiler will refuse it.
    Malformed,
}

/// A C or C++ source.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// As given; `-` is the standard input.
    pub path: PathBuf,
    /// One that [`Language::is_source`].
    pub language: Language,
}

impl Source {
    /// Whether the compiler reads it from the standard input.
    pub fn is_standard_input(&self) -> bool {
        self.path == Path::new("-")
    }

    /// The object file that `-c` without `-o` makes of it, in the current directory.
    pub fn default_object(&self) -> PathBuf {
        let mut name = self.path.file_stem().unwrap_or(OsStr::new("-")).to_os_string();
        name.push(".o");
        name.into()
    }
}

/// What the linker is asked to leave out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Strip {
    /// Nothing.
    #[default]
    Nothing,
    /// `-S`: debug info.
    DebugInfo,
    /// `-s`: debug info and the symbol table.
    Symbols,
}

impl Strip {
    /// What an option of the linker asks to leave out.
    pub fn of_linker_option(option: &str) -> Option<Strip> {
        match option {
            "-s" | "--strip-all" | "-strip-all" => Some(Strip::Symbols),
            "-S" | "--strip-debug" | "-strip-debug" => Some(Strip::DebugInfo),
            _ => None,
        }
    }
}

/// An option with its value, or an input: one or two expanded words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Word {
    /// Position of the first word in the expanded command line.
    pub start: usize,
    /// How many words.
    pub len: usize,
    /// What it is.
    pub kind: WordKind,
}

/// What a word of the command line is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WordKind {
    /// A file to compile or to link.
    Input(Language),
    /// `-o`.
    Output,
    /// `-x`.
    Language,
    /// `-c`, `-S`, `-E` and their like.
    Mode,
    /// `-Wallocs`, `-gallocs`, `-fallocs-alloca` and their opposites: ours, not the compiler's.
    Ours,
    /// `-gallocs` where nothing before it asked for types: for the compiler it is `-g`.
    AsksForDebugInfo,
    /// Asks the linker to leave something out. A `-Wl,` list may say more than that.
    Strip,
    /// `--`: only inputs follow.
    EndOfOptions,
    /// Any other option.
    Option,
}

impl Plan {
    /// Works out what the command line asks of the compiler that we stand in for.
    pub fn new(arguments: Arguments, driven: Driven) -> Plan {
        parser::parse(arguments, driven)
    }

    /// The expanded words that `word` stands for.
    pub fn text(&self, word: &Word) -> &[OsString] {
        &self.arguments.expanded[word.start..word.start + word.len]
    }

    /// The file that `word` names, if it is compiled or assembled in this command.
    pub fn compiled_file(&self, word: &Word) -> Option<&Path> {
        match word.kind {
            WordKind::Input(Language::LinkerInput) => None,
            WordKind::Input(_) => Some(Path::new(&self.text(word)[0])),
            _ => None,
        }
    }

    /// The file that a link or a single compilation makes.
    pub fn linked_file(&self) -> PathBuf {
        self.output.clone().unwrap_or_else(|| PathBuf::from("a.out"))
    }
}
