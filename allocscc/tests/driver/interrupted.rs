//! A signal ends the driver as it ends the compiler, and leaves nothing behind.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};
use rustix::process::{Pid, Signal, kill_process};

use crate::world::{Driver, World};

/// A compiler that says when it has started, then takes its time, and cleans up when it is told to end.
const SLOW_COMPILER: &str = "#!/bin/sh\n\
    case \"$*\" in *-E*) exec sleep 30;; esac\n\
    trap 'rm half-written; touch cleaned; exit 1' TERM INT HUP\n\
    touch half-written started\nsleep 30 & wait\n";

/// The tests of this file. They bring a compiler of their own.
pub(crate) fn trials(compiler: &'static str) -> Vec<Trial> {
    let signals = [("term", Signal::TERM), ("interrupt", Signal::INT), ("hangup", Signal::HUP)];
    let mut trials: Vec<Trial> = Vec::new();
    for (name, signal) in signals.into_iter().filter(|_| compiler == "gcc") {
        trials.push(Trial::test(format!("interrupted::compiler::{name}"), move || compiler_runs(signal)));
    }
    trials.push(Trial::test(format!("interrupted::{compiler}::link_analysis"), move || {
        analysis_runs(compiler)
    }));
    trials
}

fn compiler_runs(signal: Signal) -> Result<(), Failed> {
    let world = World::new("./slow", &[("a.c", "int a;\n"), ("slow", SLOW_COMPILER)]);
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(world.path("slow"), executable)?;
    let files = interrupt(&world, "-c a.c", "started", signal)?;
    if files != ["a.c", "cleaned", "slow", "started"] {
        return Err(format!("files: {files:?}").into());
    }
    Ok(())
}

/// The program is there already, as the linker wrote it.
fn analysis_runs(compiler: &str) -> Result<(), Failed> {
    let world =
        World::new(compiler, &[("a.c", "int fact_sleep_at_the_link; int main(void) { return 0; }\n")]);
    let files = interrupt(&world, "a.c -o prog", "analysing", Signal::TERM)?;
    world.shell("./prog");
    if files != ["a.c", "analysing", "prog"] {
        return Err(format!("files: {files:?}").into());
    }
    Ok(())
}

/// Sends the signal when file `sign` has come; returns the files that are there at the end.
fn interrupt(world: &World, line: &str, sign: &str, signal: Signal) -> Result<Vec<String>, Failed> {
    let mut driver = world.driver(Driver::WithHooks).args(line.split_whitespace()).spawn()?;
    let deadline = Instant::now() + Duration::from_secs(20);
    while !world.path(sign).exists() {
        if Instant::now() > deadline {
            driver.kill()?;
            return Err("it has not started".into());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let start = Instant::now();
    kill_process(Pid::from_child(&driver), signal)?;
    let status = driver.wait()?;
    if status.signal() != Some(signal.as_raw()) {
        return Err(format!("it ended with {status}").into());
    }
    if start.elapsed() > Duration::from_secs(4) {
        return Err("it took its time".into());
    }
    Ok(world.files().into_keys().collect())
}
