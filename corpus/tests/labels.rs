//! Each label quotes the line that it is about. Packages that are not unpacked are fetched, as the corpus does: those of the
//! first tier, unless `ALLOCS_CORPUS_TIER` names another one. `cargo xtask accuracy` checks those that it judges by itself.

use anyhow::Result;
use corpus::accuracy::quotes;
use corpus::manifest::{Manifest, Program};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> Result<()> {
    let arguments = Arguments::from_args();
    let trial = |program: Program| {
        let name = program.name.clone();
        Trial::test(name, move || {
            let checked = Manifest::read().and_then(|manifest| quotes::check(&manifest, &program));
            checked.map_err(|error| Failed::from(format!("{error:#}")))
        })
    };
    let trials = Manifest::read()?.chosen()?.cloned().map(trial).collect();
    libtest_mimic::run(&arguments, trials).exit()
}
