//! From a command line to what the command will do: a pure function, and plain data.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::arguments::Arguments;
use super::debug::DebugRequest;
use super::inputs::{LinkFile, LinkInputs};
use super::language::Language;
use super::options::takes_next_word;

/// What one command line asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// The command line itself.
    pub arguments: Arguments,
    /// The meaning of each expanded word.
    pub words: Vec<Word>,
    /// What the driver does about it.
    pub action: Action,
    /// C sources among the inputs.
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
    /// `-Wallocs`.
    pub warn: bool,
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
    /// Other languages only.
    NoCSource,
    /// Not for x86-64 GNU/Linux.
    OtherTarget,
    /// Not to an object file in the first place.
    OtherOutput,
    /// A debug format or mode that ours would disturb.
    UnusualDebugInfo,
    /// The compiler will refuse it.
    Malformed,
}

/// A C source.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// As given; `-` is the standard input.
    pub path: PathBuf,
    /// `C` or `PreprocessedC`.
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
    /// `-Wallocs`, `-Wno-allocs`: ours, not the compiler's.
    Ours,
    /// Asks the linker to leave something out. A `-Wl,` list may say more than that.
    Strip,
    /// `--`: only inputs follow.
    EndOfOptions,
    /// Any other option.
    Option,
}

impl Plan {
    /// Works out what the command line asks for.
    pub fn new(arguments: Arguments) -> Plan {
        let mut parser = Parser::default();
        let mut position = 0;
        while position < arguments.expanded.len() {
            position += parser.word(&arguments.expanded, position);
        }
        parser.finish(arguments)
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

#[derive(Default)]
struct Parser {
    words: Vec<Word>,
    sources: Vec<Source>,
    output: Option<PathBuf>,
    language: Option<Language>,
    debug: DebugRequest,
    strip: Strip,
    inputs: LinkInputs,
    lto: bool,
    is_static: bool,
    warn: bool,
    introduction: Option<Introduction>,
    only_inputs: bool,
    malformed: bool,
    compiles_only: bool,
    stops_early: bool,
    prints_only: bool,
    other_output: bool,
    other_target: bool,
    split_dwarf: bool,
    relocatable: bool,
    /// The output keeps more than symbols, or may be none that we can strip: that stays the linker's business.
    leaves_stripping: bool,
}

impl Parser {
    /// Takes the word at `position`, with its value, and returns how many words that were.
    fn word(&mut self, all: &[OsString], position: usize) -> usize {
        let word = all[position].as_os_str();
        let text = word.to_string_lossy();
        if self.only_inputs || text == "-" || !text.starts_with('-') {
            let kind = self.input(Path::new(word));
            return self.push(position, 1, kind);
        }
        let value = all.get(position + 1).map(OsString::as_os_str);
        let len = 1 + usize::from(takes_next_word(&text));
        if len == 2 && value.is_none() {
            self.malformed = true;
            return self.push(position, 1, WordKind::Option);
        }
        let kind = self.option(&text, word, value.filter(|_| len == 2));
        self.push(position, len, kind)
    }

    fn push(&mut self, start: usize, len: usize, kind: WordKind) -> usize {
        self.words.push(Word { start, len, kind });
        len
    }

    fn input(&mut self, path: &Path) -> WordKind {
        let language = self.language.unwrap_or_else(|| Language::of_file(path));
        match language {
            Language::C | Language::PreprocessedC => {
                self.sources.push(Source { path: path.to_path_buf(), language });
            }
            Language::LinkerInput => self.inputs.files.push(LinkFile::Path(path.to_path_buf())),
            Language::CHeader | Language::Other => {}
        }
        WordKind::Input(language)
    }

    fn option(&mut self, text: &str, word: &OsStr, value: Option<&OsStr>) -> WordKind {
        let joined = |prefix: &str| match value {
            Some(value) if text == prefix => Some(value),
            _ => word
                .as_bytes()
                .strip_prefix(prefix.as_bytes())
                .filter(|rest| !rest.is_empty())
                .map(OsStr::from_bytes),
        };
        if let Some(path) = joined("-o").or_else(|| joined("--output=")).or_else(|| joined("--output")) {
            self.output = Some(path.into());
            return WordKind::Output;
        }
        if let Some(name) = joined("-x").or_else(|| joined("--language=")).or_else(|| joined("--language")) {
            self.language = Language::of_option(name);
            return WordKind::Language;
        }
        if let Some(name) = joined("-l") {
            self.inputs.files.push(LinkFile::Library(name.to_string_lossy().into_owned()));
            return WordKind::Input(Language::LinkerInput);
        }
        if let Some(directory) = joined("-L") {
            self.inputs.directories.push(directory.into());
            return WordKind::Option;
        }
        if let Some(list) = text.strip_prefix("-Wl,") {
            return self.linker_options(list.split(','));
        }
        if matches!(text, "-Xlinker" | "--for-linker") {
            return self.linker_options(value.iter().map(|value| value.to_str().unwrap_or("")));
        }
        self.debug = self.debug.after(text);
        self.flag(text, value)
    }

    fn flag(&mut self, text: &str, value: Option<&OsStr>) -> WordKind {
        match text {
            "-Wallocs" | "-Wno-allocs" => {
                self.warn = text == "-Wallocs";
                return WordKind::Ours;
            }
            "--" => {
                self.only_inputs = true;
                return WordKind::EndOfOptions;
            }
            "-s" | "--strip-all" => {
                self.strip = Strip::Symbols;
                return WordKind::Strip;
            }
            "-c" | "--compile" => {
                self.compiles_only = true;
                return WordKind::Mode;
            }
            "-S"
            | "--assemble"
            | "-E"
            | "--preprocess"
            | "-M"
            | "-MM"
            | "--dependencies"
            | "--user-dependencies"
            | "-fsyntax-only" => {
                self.stops_early = true;
                return WordKind::Mode;
            }
            "--version" | "--help" => {
                self.introduction = Some(Introduction::Output);
                self.prints_only = true;
            }
            "-v" | "--verbose" => self.introduction = self.introduction.or(Some(Introduction::Error)),
            "-###" | "--target-help" | "-dumpversion" | "-dumpfullversion" | "-dumpmachine"
            | "-dumpspecs" | "-cc1" | "-cc1as" | "-cc1gen-reproducer" | "-help" => self.prints_only = true,
            "-emit-llvm"
            | "-emit-ast"
            | "--analyze"
            | "--precompile"
            | "-verify-pch"
            | "-rewrite-objc"
            | "-rewrite-legacy-objc"
            | "-emit-interface-stubs"
            | "-extract-api"
            | "--migrate" => {
                self.other_output = true;
            }
            "-m32" | "-mx32" | "-m16" | "-miamcu" | "-b" | "-V" => self.other_target = true,
            "-target" => self.target(&value.map(OsStr::to_string_lossy).unwrap_or_default()),
            "-gsplit-dwarf" => self.split_dwarf = true,
            "-gno-split-dwarf" => self.split_dwarf = false,
            "-r" => self.relocatable = true,
            "-static" | "-static-pie" | "--static" => self.is_static = true,
            "-flto" => self.lto = true,
            "-fno-lto" => self.lto = false,
            _ => self.prefixed_flag(text),
        }
        WordKind::Option
    }

    fn prefixed_flag(&mut self, text: &str) {
        let is = |prefixes: &[&str]| prefixes.iter().any(|prefix| text.starts_with(prefix));
        if is(&["-print-", "--print-", "--help=", "--autocomplete="]) {
            self.prints_only = true;
        } else if is(&["-flto="]) {
            self.lto = true;
        } else if is(&["-gsplit-dwarf="]) {
            self.split_dwarf = true;
        } else if let Some(triple) = text.strip_prefix("--target=") {
            self.target(triple);
        }
    }

    fn target(&mut self, triple: &str) {
        self.other_target |=
            !(triple.starts_with("x86_64") && triple.contains("linux") && !triple.ends_with("x32"));
    }

    fn linker_options<'a>(&mut self, options: impl Iterator<Item = &'a str>) -> WordKind {
        let mut kind = WordKind::Option;
        for option in options {
            if let Some(strip) = strip_of_linker_option(option) {
                self.strip = self.strip.max(strip);
                kind = WordKind::Strip;
            }
            self.relocatable |= matches!(option, "-r" | "-i" | "--relocatable" | "-relocatable");
            self.leaves_stripping |= matches!(option, "-q" | "--emit-relocs" | "-emit-relocs");
            self.leaves_stripping |= option.starts_with("-m") || option.contains("-oformat");
        }
        kind
    }

    fn finish(self, arguments: Arguments) -> Plan {
        let action = self.action(&arguments);
        let strip = if self.relocatable || self.leaves_stripping { Strip::Nothing } else { self.strip };
        Plan {
            arguments,
            words: self.words,
            action,
            sources: self.sources,
            output: self.output,
            debug: self.debug,
            strip,
            inputs: self.inputs,
            lto: self.lto,
            is_static: self.is_static,
            warn: self.warn,
            introduces_itself: self.introduction,
        }
    }

    fn action(&self, arguments: &Arguments) -> Action {
        let mut languages = self.words.iter().filter_map(|word| match word.kind {
            WordKind::Input(language) => Some(language),
            _ => None,
        });
        let has_input = languages.clone().next().is_some();
        let has_header = languages.any(|language| language == Language::CHeader);
        let unusual =
            self.debug == DebugRequest::Unusual || (self.split_dwarf && self.debug == DebugRequest::Nothing);
        // A pipe can be read only once, and a device holds no sections.
        let names_a_device = arguments.expanded.iter().any(|word| word.as_bytes().starts_with(b"/dev/"));
        if self.prints_only || !has_input {
            Action::Pass(Reason::NothingToCompile)
        } else if self.malformed || (self.only_inputs && arguments.has_response_file()) {
            Action::Pass(Reason::Malformed)
        } else if self.other_target {
            Action::Pass(Reason::OtherTarget)
        } else if self.sources.is_empty() && (self.compiles_only || self.stops_early) && !has_header {
            Action::Pass(Reason::NoCSource)
        } else if self.stops_early || self.other_output || names_a_device {
            Action::AddHeaders
        } else if has_header {
            if unusual { Action::AddHeaders } else { Action::PrecompileHeader }
        } else if unusual {
            if self.sources.is_empty() { Action::Link } else { Action::AddHeaders }
        } else if self.compiles_only {
            Action::Compile
        } else {
            Action::Link
        }
    }
}

/// What a linker option asks to leave out.
pub fn strip_of_linker_option(option: &str) -> Option<Strip> {
    match option {
        "-s" | "--strip-all" | "-strip-all" => Some(Strip::Symbols),
        "-S" | "--strip-debug" | "-strip-debug" => Some(Strip::DebugInfo),
        _ => None,
    }
}
