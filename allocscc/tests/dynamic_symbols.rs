//! What a file has for others and what it wants of them, as the dynamic linker sees it.

use std::process::Command;

use allocscc::image::dynamic;
use object::read::elf::ElfFile64;

const SOURCE: &str = r#"
int wanted(void);
int variable = 1;
static int one(void) { return wanted(); }
static int (*choose(void))(void) { return one; }
int plain(void) { return 1; }
int chosen(void) __attribute__((ifunc("choose")));
__attribute__((visibility("hidden"))) int hidden(void) { return 2; }
"#;

#[test]
fn functions_of_a_library() {
    let directory = tempfile::tempdir().unwrap();
    let (source, library) = (directory.path().join("library.c"), directory.path().join("library.so"));
    std::fs::write(&source, SOURCE).unwrap();
    let status = Command::new("gcc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).status();
    assert!(status.unwrap().success());
    let bytes = std::fs::read(&library).unwrap();
    let file = ElfFile64::parse(&*bytes).unwrap();
    let mut exported: Vec<&str> = dynamic::exported_functions(&file).map(|(name, _)| name).collect();
    exported.retain(|name| !name.starts_with('_'));
    exported.sort_unstable();
    assert_eq!(exported, ["chosen", "plain"]);
    let wanted = dynamic::undefined_symbols(&file);
    assert!(wanted.contains("wanted") && !wanted.contains("chosen"), "{wanted:?}");
}
