//! `allocs completions SHELL`: prints what makes a shell complete the words of `allocs`.

use std::io::Write;

use anyhow::Context;
use clap_complete::{Shell, generate};

/// Arguments of `allocs completions`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The shell.
    pub shell: Shell,
}

/// What follows `run` is a command of its own. What is generated for bash and fish does not know that; for bash it takes
/// the bash-completion package.
const BASH_RUN: &str = "
_allocs_or_command() {
    local offset
    if [[ ${COMP_CWORD} -ge 2 && ${COMP_WORDS[1]} == run && ${COMP_WORDS[2]} != -* ]]; then
        for offset in _comp_command_offset _command_offset; do
            if declare -F $offset >/dev/null; then
                $offset 2
                return
            fi
        done
    fi
    _allocs \"$@\"
}
complete -F _allocs_or_command -o bashdefault -o default allocs
";
const FISH_RUN: &str =
    "complete -c allocs -n \"__fish_allocs_using_subcommand run\" -x -a '(__fish_complete_subcommand --fcs-skip=2)'
complete -c allocs -n \"__fish_allocs_using_subcommand completions\" -x -a 'bash elvish fish powershell zsh'
";

/// Prints the completions of a command line.
pub fn run(args: &Args, mut command: clap::Command) -> anyhow::Result<()> {
    let mut script = Vec::new();
    generate(args.shell, &mut command, "allocs", &mut script);
    script.extend_from_slice(match args.shell {
        Shell::Bash => BASH_RUN.as_bytes(),
        Shell::Fish => FISH_RUN.as_bytes(),
        _ => b"",
    });
    std::io::stdout().lock().write_all(&script).context("writing to standard output")
}
