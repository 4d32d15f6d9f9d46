//! `allocscc`, a drop-in for `cc` that leaves metadata in what it links.

use allocscc::driver::{self, Hooks};
use allocscc::{compile, link};

fn main() {
    driver::main(Hooks { analyse: compile::analyse, annotate: link::annotate })
}
