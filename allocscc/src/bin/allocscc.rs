//! `allocscc`, a drop-in for `cc` that leaves metadata in what it links.

use allocscc::driver::{self, Hooks};
use allocscc::link;

fn main() {
    driver::main(Hooks { analyse: |_, _| Ok(Vec::new()), annotate: link::annotate })
}
