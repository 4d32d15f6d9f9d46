//! The compiler driver against the plain compiler: same messages, same files, same code.
//!
//! This program is also a driver itself: started with [`AS_DRIVER`] in its environment it is `allocscc` with the analyses of
//! [`hooks`], whose facts a test can predict, and which crash when a test wants them to.

mod alloca;
mod compare;
mod facts;
mod hooks;
mod interrupted;
mod same;
mod surroundings;
mod world;

use libtest_mimic::{Arguments, Trial};

/// Makes this program behave as the driver.
const AS_DRIVER: &str = "ALLOCSCC_TEST_DRIVER";

fn main() {
    if std::env::var_os(AS_DRIVER).is_some() {
        allocscc::driver::main(hooks::HOOKS);
    }
    let arguments = Arguments::from_args();
    let mut trials: Vec<Trial> = Vec::new();
    for compiler in ["gcc", "clang-14"].into_iter().filter(|compiler| world::is_installed(compiler)) {
        trials.extend(alloca::trials(compiler));
        trials.extend(same::trials(compiler));
        trials.extend(facts::trials(compiler));
        trials.extend(interrupted::trials(compiler));
        trials.extend(surroundings::trials(compiler));
    }
    libtest_mimic::run(&arguments, trials).exit();
}
