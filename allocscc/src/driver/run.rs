//! Runs the commands of a plan.

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use crate::installation;

use super::alloca;
use super::arguments::{Arguments, spell};
use super::children::{self, Running};
use super::compiler::{COMPILER_VARIABLE, Compiler, Driven};
use super::finish;
use super::hooks::Hooks;
use super::link_map::LinkMap;
use super::named_types::NamedTypes;
use super::objects;
use super::plan::{Action, Introduction, Plan, Source};
use super::spelling;
use super::standard_input::Input;
use super::units::{self, SourceFacts};
use super::warning::warn;

/// The analysis of the sources may take this long, and this many times as long as the compiler; then it is given up.
const ANALYSIS_TIME: Duration = Duration::from_secs(30);
const ANALYSIS_FACTOR: u32 = 4;

/// Facts of each source, in the order of the command line.
type Facts = Vec<(Source, Result<SourceFacts>)>;

/// The whole of `allocscc`.
pub fn main(hooks: Hooks) -> ! {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    match arguments.first().and_then(|first| first.to_str()) {
        Some(units::ANALYSE) => std::process::exit(units::analyse(hooks, &arguments[1..])),
        Some(finish::FINISH) => std::process::exit(finish::finish(hooks, arguments[1..].to_vec())),
        _ => {}
    }
    let driven = Driven::from_own_name();
    let plan = Plan::new(Arguments::new(arguments), driven);
    let driver =
        Driver { compiler: Compiler::from_environment(driven), headers: installation::headers(), plan };
    driver.run()
}

struct Driver {
    compiler: Compiler,
    headers: Option<PathBuf>,
    plan: Plan,
}

impl Driver {
    fn run(&self) -> ! {
        let gathers = matches!(self.plan.action, Action::Compile | Action::Link);
        let mut command = self.compiler.command();
        let map = if spelling::has_room_for_map(&self.plan) { LinkMap::new() } else { None };
        let map_path = map.as_ref().map(LinkMap::path);
        if gathers {
            self.listen();
        }
        let input = if gathers { self.input() } else { Input::Inherited };
        let headers = self.headers.as_deref();
        let types = NamedTypes::of_link(&self.plan, &self.compiler, headers, &input);
        let mut words = spelling::compiler_arguments(&self.plan, headers, map_path);
        if let Some(types) = &types {
            types.add_to(&mut words);
        }
        let arguments = spell(words).unwrap_or_else(|error| self.cannot_run(&error));
        command.args(&arguments.words);
        if !gathers && self.plan.introduces_itself.is_none() && arguments.file.is_none() {
            let error = command.exec();
            self.cannot_run(&error)
        }
        if !gathers {
            self.listen();
        }
        let start = Instant::now();
        let compiler = match input.spawn(&mut command) {
            Ok(compiler) => compiler,
            Err(error) => self.cannot_run(&error),
        };
        let facts = if gathers { Some(self.gather(&input)) } else { None };
        let status = self.wait(compiler);
        let mut is_complete = true;
        if !status.success() {
            children::close();
        } else if let Some(facts) = facts {
            let facts = receive(facts, start.elapsed(), self.plan.sources.len());
            let facts: Facts = self.plan.sources.iter().cloned().zip(facts).collect();
            if alloca::is_worth_a_run(&self.plan, &facts) {
                self.run_again(&input, &arguments.words, map_path);
            }
            is_complete = self.add_metadata(&facts, map_path);
        }
        self.introduce();
        drop((arguments, map, types));
        children::exit_like(if is_complete { status } else { ExitStatus::from_raw(1 << 8) })
    }

    fn listen(&self) {
        if let Err(error) = children::listen() {
            warn(self.plan.warn, self.compiler.name(), error);
        }
    }

    fn input(&self) -> Input {
        if !self.plan.sources.iter().any(Source::is_standard_input) {
            return Input::Inherited;
        }
        Input::read().unwrap_or(Input::Inherited)
    }

    /// Starts the analysis of all sources; their facts arrive in order.
    fn gather(&self, input: &Input) -> Receiver<Result<SourceFacts>> {
        let (sender, receiver) = mpsc::channel();
        let (plan, compiler, headers) = (self.plan.clone(), self.compiler.clone(), self.headers.clone());
        let input = input.clone();
        // Without a thread the sender is dropped, and no facts arrive.
        let _ = std::thread::Builder::new().name("analysis".into()).spawn(move || {
            for source in &plan.sources {
                let facts = units::facts(&plan, source, &compiler, headers.as_deref(), &input);
                if sender.send(facts).is_err() {
                    return;
                }
            }
        });
        receiver
    }

    /// Runs the command once more, with blocks of alloca that say what they are. If that cannot be, the files are
    /// made again as they were.
    fn run_again(&self, input: &Input, words: &[OsString], map: Option<&Path>) {
        let run = |words: &[OsString]| -> io::Result<ExitStatus> {
            let mut command = self.compiler.command();
            command.args(words).stdout(Stdio::null()).stderr(Stdio::null());
            input.spawn(&mut command)?.wait()
        };
        let spelt = spelling::compiler_arguments(&self.plan, self.headers.as_deref(), map);
        let with_headers =
            spell(spelling::with_options(spelt, alloca::options())).and_then(|with| run(&with.words));
        if !with_headers.is_ok_and(|status| status.success())
            && let Err(error) = run(words)
        {
            self.cannot_run(&error)
        }
    }

    /// Returns whether all went well for the user, whom an analysis that fails does not concern.
    fn add_metadata(&self, facts: &Facts, map: Option<&Path>) -> bool {
        for (source, facts) in facts {
            if let Err(reason) = facts {
                warn(self.plan.warn, &source.path, format_args!("{reason:#}"));
            }
        }
        if self.plan.action == Action::Link {
            let facts: Vec<&[u8]> = facts.iter().map(|(_, facts)| bytes_of(facts)).collect();
            return self.has_all_types(&finish::run(&self.plan, &facts, map));
        }
        // Of two sources with the same object the last one wins, for the compiler and for us.
        for (source, facts) in facts.iter().rev() {
            let object = objects::object_of(&self.plan, source);
            if let Err(reason) = objects::add_facts(&self.plan, &object, bytes_of(facts)) {
                warn(self.plan.warn, &object, reason);
            }
        }
        true
    }

    /// What the link editor would say of a symbol that nothing defines, we say of one that names no type.
    fn has_all_types(&self, unknown: &[String]) -> bool {
        let file = self.plan.linked_file();
        for symbol in unknown {
            eprintln!(
                "allocscc: {}: undefined reference to `{symbol}': no file that is linked has debug information of such a type",
                file.display()
            );
        }
        if !unknown.is_empty() {
            // As the link editor does. Nothing can be done about a file that does not go away.
            let _ = std::fs::remove_file(file);
        }
        unknown.is_empty()
    }

    /// Says what we add, where the compiler has just said what it is.
    fn introduce(&self) {
        let Some(introduction) = self.plan.introduces_itself else { return };
        let mut line = OsString::from(concat!("allocscc ", env!("CARGO_PKG_VERSION")));
        let added = spelling::additions(&self.plan, self.headers.as_deref());
        if !added.is_empty() {
            line.push(", adds: ");
            line.push(added.join(std::ffi::OsStr::new(" ")));
        }
        line.push("\n");
        let line = line.as_encoded_bytes();
        // As with the compiler's own text, a closed output is no reason to fail.
        let _ = match introduction {
            Introduction::Output => io::stdout().lock().write_all(line),
            Introduction::Error => io::stderr().lock().write_all(line),
        };
    }

    fn wait(&self, compiler: Running) -> ExitStatus {
        compiler.wait().unwrap_or_else(|error| self.cannot_run(&error))
    }

    fn cannot_run(&self, error: &io::Error) -> ! {
        children::remove_files();
        let name = Path::display(self.compiler.name());
        eprintln!(
            "allocscc: cannot run the compiler {name}: {error}. {COMPILER_VARIABLE} names another one."
        );
        std::process::exit(if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 })
    }
}

fn bytes_of(facts: &Result<SourceFacts>) -> &[u8] {
    facts.as_ref().map_or(&[], |facts| &facts.bytes)
}

/// Waits for the facts of `count` sources. What takes too long is given up.
fn receive(
    facts: Receiver<Result<SourceFacts>>,
    compilation: Duration,
    count: usize,
) -> Vec<Result<SourceFacts>> {
    let deadline = Instant::now() + ANALYSIS_TIME.max(compilation * ANALYSIS_FACTOR);
    let mut received = Vec::with_capacity(count);
    while received.len() < count {
        match facts.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(facts) => received.push(facts),
            Err(error) => {
                children::kill_all();
                received
                    .resize_with(count, || Err(anyhow!("the analysis of the source has not ended: {error}")));
            }
        }
    }
    received
}
