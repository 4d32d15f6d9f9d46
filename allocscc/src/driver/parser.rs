//! Reads a command line word by word, and decides what is to be done about it.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::arguments::Arguments;
use super::compiler::Driven;
use super::debug::DebugRequest;
use super::inputs::{LinkFile, LinkInputs};
use super::language::Language;
use super::options::takes_next_word;
use super::plan::{Action, Introduction, Plan, Reason, Source, Strip, Word, WordKind};

/// Works out what the command line asks for.
pub fn parse(arguments: Arguments, driven: Driven) -> Plan {
    let mut parser = Parser { driven, ..Parser::default() };
    let mut position = 0;
    while position < arguments.expanded.len() {
        position += parser.word(&arguments.expanded, position);
    }
    parser.finish(arguments)
}

#[derive(Default)]
struct Parser {
    driven: Driven,
    words: Vec<Word>,
    sources: Vec<Source>,
    output: Option<PathBuf>,
    language: Option<Language>,
    debug: DebugRequest,
    strip: Strip,
    inputs: LinkInputs,
    lto: bool,
    is_static: bool,
    is_shared: bool,
    warn: bool,
    alloc_types: bool,
    alloca: bool,
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
        let language = self.language.unwrap_or_else(|| Language::of_file(path, self.driven));
        match language {
            Language::LinkerInput => self.inputs.files.push(LinkFile::Path(path.to_path_buf())),
            _ if language.is_source() => self.sources.push(Source { path: path.to_path_buf(), language }),
            _ => {}
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
        let separate = |option: &str| value.filter(|_| text == option);
        if let Some(path) = joined("-o").or_else(|| joined("--output=")).or_else(|| separate("--output")) {
            self.output = Some(path.into());
            return WordKind::Output;
        }
        let language = joined("-x").or_else(|| joined("--language="));
        if let Some(name) = language.or_else(|| separate("--language")) {
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
        if let Some(option) = text.strip_prefix("--for-linker=") {
            return self.linker_options(std::iter::once(option));
        }
        if matches!(text, "-Xlinker" | "--for-linker") {
            return self.linker_options(value.iter().map(|value| value.to_str().unwrap_or("")));
        }
        if matches!(text, "-gallocs" | "-gno-allocs") {
            return self.alloc_types(text == "-gallocs");
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
            "-fallocs-alloca" | "-fno-allocs-alloca" => {
                self.alloca = text == "-fallocs-alloca";
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
            "-shared" | "--shared" => self.is_shared = true,
            "-flto" => self.lto = true,
            "-fno-lto" => self.lto = false,
            _ => self.prefixed_flag(text),
        }
        WordKind::Option
    }

    /// `-gallocs` asks for debug info, as most options do that say what is to be in it.
    fn alloc_types(&mut self, wanted: bool) -> WordKind {
        self.alloc_types = wanted;
        let asks = wanted && matches!(self.debug, DebugRequest::Nothing | DebugRequest::Lines);
        if asks {
            self.debug = DebugRequest::Full;
            return WordKind::AsksForDebugInfo;
        }
        WordKind::Ours
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
            if let Some(strip) = Strip::of_linker_option(option) {
                self.strip = self.strip.max(strip);
                kind = WordKind::Strip;
            }
            self.relocatable |= matches!(option, "-r" | "-i" | "--relocatable" | "-relocatable");
            self.is_shared |= matches!(option, "-shared" | "--shared" | "-Bshareable");
            self.leaves_stripping |= matches!(option, "-q" | "--emit-relocs" | "-emit-relocs");
            self.leaves_stripping |= option.starts_with("-m") || option.contains("-oformat");
        }
        kind
    }

    fn finish(self, arguments: Arguments) -> Plan {
        let action = self.action(&arguments);
        let strip = if self.relocatable || self.leaves_stripping { Strip::Nothing } else { self.strip };
        Plan {
            driven: self.driven,
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
            is_relocatable: self.relocatable,
            is_shared: self.is_shared,
            warn: self.warn,
            alloc_types: self.alloc_types,
            alloca: self.alloca,
            introduces_itself: self.introduction,
        }
    }

    fn action(&self, arguments: &Arguments) -> Action {
        let mut languages = self.words.iter().filter_map(|word| match word.kind {
            WordKind::Input(language) => Some(language),
            _ => None,
        });
        let has_input = languages.clone().next().is_some();
        let has_header = languages.any(|language| language == Language::Header);
        let unusual =
            self.debug == DebugRequest::Unusual || (self.split_dwarf && self.debug == DebugRequest::Nothing);
        let names_a_device = arguments.expanded.iter().any(|word| is_stream(word))
            || self.output.as_deref() == Some(Path::new("/dev/null"));
        if self.prints_only || !has_input {
            Action::Pass(Reason::NothingToCompile)
        } else if self.malformed || (self.only_inputs && arguments.has_response_file()) {
            Action::Pass(Reason::Malformed)
        } else if self.other_target {
            Action::Pass(Reason::OtherTarget)
        } else if self.sources.is_empty() && (self.compiles_only || self.stops_early) && !has_header {
            Action::Pass(Reason::OtherLanguages)
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

/// Whether the word names a pipe or terminal: what is read from there cannot be read twice, and what is written there holds no
/// sections.
fn is_stream(word: &OsStr) -> bool {
    const STREAMS: [&str; 6] =
        ["/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/tty", "/dev/fd/", "/proc/self/fd/"];
    STREAMS.iter().any(|stream| word.as_bytes().starts_with(stream.as_bytes()))
}
