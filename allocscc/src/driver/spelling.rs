//! Spells the commands that are run instead of the given one: pure functions from a plan to words.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::debug::DebugRequest;
use super::language::Language;
use super::plan::{Action, Plan, Source, Strip, Word, WordKind};

/// The given command with what we need added and what is ours to do taken out. `map` is where the link editor puts its map.
pub fn compiler_arguments(plan: &Plan, headers: Option<&Path>, map: Option<&Path>) -> Vec<OsString> {
    let words = if needs_removal(plan) {
        plan.words.iter().flat_map(|word| kept(plan, word)).collect()
    } else {
        plan.arguments.given.clone()
    };
    with_options(words, additions(plan, headers).into_iter().chain(map.map(map_option)))
}

/// A command with more options, which go before what follows a `--`.
pub fn with_options(mut words: Vec<OsString>, options: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
    words.splice(end..end, options);
    words
}

/// The options that [`compiler_arguments`] adds.
pub fn additions(plan: &Plan, headers: Option<&Path>) -> Vec<OsString> {
    let mut added: Vec<OsString> = Vec::new();
    let has = |wanted: fn(Language) -> bool| {
        plan.words.iter().any(|word| matches!(word.kind, WordKind::Input(language) if wanted(language)))
    };
    let is_pass = matches!(plan.action, Action::Pass(_));
    if let Some(headers) =
        headers.filter(|_| has(Language::includes_headers) && !is_pass && !has_option(plan, "-nostdinc"))
    {
        added.extend(["-idirafter".into(), headers.into()]);
    }
    let compiles = match plan.action {
        Action::Compile | Action::PrecompileHeader => true,
        Action::Link => !plan.sources.is_empty() || plan.lto,
        Action::AddHeaders | Action::Pass(_) => false,
    };
    if compiles && plan.debug != DebugRequest::Unusual {
        if plan.debug != DebugRequest::Full {
            // clang's own assembler warns of what clang writes as DWARF 5 when it goes through an assembly file.
            let saves_assembly =
                ["-save-temps", "-save-temps=obj", "-save-temps=cwd", "--save-temps", "-no-integrated-as"]
                    .iter()
                    .any(|option| has_option(plan, option));
            added.push(if saves_assembly { "-gdwarf-4" } else { "-g" }.into());
        }
        added.push("-fno-eliminate-unused-debug-types".into());
    }
    added
}

/// Makes the link editor write its map. The path must have no comma.
fn map_option(map: &Path) -> OsString {
    let mut option = OsString::from("-Wl,-Map=");
    option.push(map);
    option
}

/// Whether the command links, and the link editor may write a map for us: it writes one only.
pub fn has_room_for_map(plan: &Plan) -> bool {
    let asks = |option: &str| {
        matches!(option, "-M" | "--print-map" | "-print-map" | "-r" | "--relocatable" | "-i")
            || option.starts_with("-Map")
            || option.starts_with("--Map")
    };
    plan.action == Action::Link
        && !plan.words.iter().filter(|word| word.kind == WordKind::Option).any(|word| {
            let text = plan.text(word);
            let option = text[0].to_string_lossy();
            match option.split_once("-Wl,").or_else(|| option.split_once("--for-linker=")) {
                Some(("", list)) => list.split(',').any(asks),
                _ if matches!(&*option, "-Xlinker" | "--for-linker") => asks(&text[1].to_string_lossy()),
                _ => option == "-r",
            }
        })
}

/// Prints the preprocessed text of one source on the standard output, and does nothing else.
pub fn preprocessor_arguments(plan: &Plan, source: &Source, headers: Option<&Path>) -> Vec<OsString> {
    let mut words: Vec<OsString> = Vec::new();
    let mut preprocessor_value_follows = false;
    for word in plan.words.iter().filter(|word| word.kind == WordKind::Option) {
        let text = plan.text(word);
        let option = text[0].to_string_lossy();
        if option == "-Xpreprocessor" {
            let value = text[1].to_string_lossy();
            let dropped = preprocessor_value_follows || value.starts_with("-M");
            preprocessor_value_follows = !preprocessor_value_follows && takes_dependency_value(&value);
            if !dropped {
                words.extend_from_slice(text);
            }
        } else if let Some(list) = option.strip_prefix("-Wp,") {
            words.extend(without_dependencies(list));
        } else if !has_side_effect(&option) {
            words.extend_from_slice(text);
        }
    }
    if let Some(headers) = headers.filter(|_| !has_option(plan, "-nostdinc")) {
        words.extend(["-idirafter".into(), headers.into()]);
    }
    // At -g3 the compiler would print macro definitions too.
    words.extend(["-g0", "-w", "-E", "-x", "c"].map(OsString::from));
    words.push(source.path.clone().into());
    words
}

/// The options that change what C means; see [`super::hooks::UnitInfo::flags`].
pub fn meaning_options(plan: &Plan) -> Vec<OsString> {
    let changes_meaning = |text: &OsStr| {
        let text = text.to_string_lossy();
        text == "-ansi" || ["-std=", "--std=", "-f", "-m", "-O"].iter().any(|prefix| text.starts_with(prefix))
    };
    plan.words
        .iter()
        .filter(|word| word.kind == WordKind::Option && word.len == 1)
        .map(|word| &plan.text(word)[0])
        .filter(|text| changes_meaning(text))
        .cloned()
        .collect()
}

fn needs_removal(plan: &Plan) -> bool {
    plan.words.iter().any(|word| match word.kind {
        WordKind::Ours | WordKind::AsksForDebugInfo => true,
        WordKind::Strip => removes_strip(plan),
        _ => false,
    })
}

/// The linker must leave in what our own pass reads; that pass strips.
fn removes_strip(plan: &Plan) -> bool {
    plan.action == Action::Link && plan.strip != Strip::Nothing
}

fn kept(plan: &Plan, word: &Word) -> Vec<OsString> {
    let text = plan.text(word);
    match word.kind {
        WordKind::Ours => Vec::new(),
        WordKind::AsksForDebugInfo => vec!["-g".into()],
        WordKind::Strip if removes_strip(plan) => match text[0].to_str().and_then(|t| t.strip_prefix("-Wl,"))
        {
            Some(list) => {
                let kept: Vec<&str> =
                    list.split(',').filter(|option| Strip::of_linker_option(option).is_none()).collect();
                if kept.is_empty() { Vec::new() } else { vec![format!("-Wl,{}", kept.join(",")).into()] }
            }
            None => Vec::new(),
        },
        _ => text.to_vec(),
    }
}

fn has_option(plan: &Plan, option: &str) -> bool {
    plan.words.iter().any(|word| word.kind == WordKind::Option && plan.text(word)[0] == option)
}

/// Options that write a file, print something, change what `-E` prints, or are for the linker: clang refuses those with `-E -Werror`.
fn has_side_effect(option: &str) -> bool {
    const EXACT: [&str; 12] = [
        "-C",
        "-CC",
        "-H",
        "-P",
        "-Q",
        "-v",
        "--verbose",
        "-time",
        "-aux-info",
        "-wrapper",
        "-fdirectives-only",
        "-frewrite-includes",
    ];
    const PREFIXES: [&str; 23] = [
        "-M",
        "-d",
        "--dump",
        "--write-",
        "-time=",
        "-ftime-",
        "-save-",
        "--save-",
        "-fdump-",
        "-fdiagnostics-",
        "-fplugin",
        "-fproc-stat-report",
        "-gen-cdb-",
        "-index-store",
        "-serialize-diagnostics",
        "--serialize-diagnostics",
        "-Wl,",
        "-Wa,",
        "-L",
        "-Xlinker",
        "-Xassembler",
        "-fuse-ld",
        "-z",
    ];
    EXACT.contains(&option)
        || PREFIXES.iter().any(|prefix| option.starts_with(prefix))
        || matches!(option, "--trace-includes" | "--comments" | "--no-line-commands")
}

fn takes_dependency_value(option: &str) -> bool {
    matches!(option, "-MF" | "-MT" | "-MQ" | "-MD" | "-MMD")
}

/// A `-Wp,` list without the options that write dependencies.
fn without_dependencies(list: &str) -> Option<OsString> {
    let mut kept = String::from("-Wp");
    let mut options = list.split(',');
    while let Some(option) = options.next() {
        if takes_dependency_value(option) {
            options.next();
        } else if !option.starts_with("-M") {
            kept.push(',');
            kept.push_str(option);
        }
    }
    (kept != "-Wp").then(|| kept.into())
}
