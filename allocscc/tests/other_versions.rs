//! Objects that another version of allocscc compiled.

use std::path::Path;
use std::process::{Command, Output};

use allocscc::sites::codec::{MAGIC, VERSION};

fn run(directory: &Path, program: &str, arguments: &[&str]) -> Output {
    let output = Command::new(program).args(arguments).current_dir(directory).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// They are like objects of another compiler; the others lose nothing.
#[test]
fn an_object_of_another_version_costs_its_own_sites_alone() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    let one = "#include <stdlib.h>\nint *one(void) { return malloc(5 * sizeof(int)); }\n";
    let main = "#include <stdlib.h>\nvoid *one(void);\nvoid *volatile kept;\n\
                int main(void) { kept = malloc(sizeof(long)); return !one(); }\n";
    std::fs::write(at.join("one.c"), one).unwrap();
    std::fs::write(at.join("main.c"), main).unwrap();
    run(at, env!("CARGO_BIN_EXE_allocscc"), &["-O0", "-c", "one.c", "main.c"]);

    let mut object = std::fs::read(at.join("main.o")).unwrap();
    let facts = object.windows(4).position(|bytes| bytes == MAGIC).expect("the object has facts");
    object[facts + 4] = VERSION + 1;
    std::fs::write(at.join("main.o"), object).unwrap();

    let linked = run(at, env!("CARGO_BIN_EXE_allocscc"), &["-Wallocs", "-o", "program", "one.o", "main.o"]);
    let warning = String::from_utf8(linked.stderr).unwrap();
    assert!(warning.contains("compile the file again"), "{warning}");
    let sites = run(at, env!("CARGO_BIN_EXE_allocs"), &["sites", "program"]).stdout;
    let sites = String::from_utf8(sites).unwrap();
    assert!(sites.lines().any(|line| line.contains("one.c:2") && line.contains("int[]")), "{sites}");
    assert!(!sites.contains("long[]"), "{sites}");
}
