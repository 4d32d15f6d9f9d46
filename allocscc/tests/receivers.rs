//! What debug information says of allocations whose source is not at hand.

mod compile;
mod trees;

use std::path::Path;
use std::process::Command;

use allocs_metadata::{Evidence, Metadata};
use allocscc::dwarf::alloc_types;
use allocscc::dwarf::types::Types;
use allocscc::dwarf::units::{DebugData, Units};
use allocscc::emit::Aligned;
use allocscc::graph::Type;
use allocscc::graph::names::Names;
use compile::{Case, matrix};

/// The file's metadata by `allocs meta add --base`.
fn added(file: &Path, options: &[&str]) -> Result<Vec<u8>, String> {
    let base = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_allocs"))
        .args(["meta", "add", "--base"])
        .arg(base.path())
        .args(options)
        .arg(file)
        .output()
        .unwrap();
    if !output.status.success() {
        return Err(String::from_utf8(output.stderr).unwrap());
    }
    let mut directory = base.path().join(".build-id");
    for _ in 0..2 {
        directory = std::fs::read_dir(&directory).unwrap().next().unwrap().unwrap().path();
    }
    Ok(std::fs::read(directory).unwrap())
}

/// Type and evidence of the one site in each function whose name begins with `site`.
fn sites(metadata: &[u8]) -> Vec<(String, String, Evidence)> {
    let aligned = Aligned::copy(metadata);
    let m = Metadata::parse(aligned.bytes()).unwrap();
    let name =
        |site: &allocs_metadata::SiteRecord| m.ty(site.ty).map_or("?", |ty| m.text(ty.name)).to_owned();
    let mut found: Vec<_> = m
        .sites()
        .iter()
        .filter(|site| m.text(site.function).starts_with("site"))
        .map(|site| (m.text(site.function).to_owned(), name(site), Evidence::from_u8(site.evidence)))
        .collect();
    found.sort();
    found
}

fn check(case: &Case, source: &str, expected: &[(&str, &str, Evidence)]) {
    let linked = case.clone().with(&["-Wl,--build-id"]).link(source);
    let metadata = added(&linked.path(), &[]).unwrap();
    let found = sites(&metadata);
    let found: Vec<_> = found.iter().map(|(f, ty, e)| (f.as_str(), ty.as_str(), *e)).collect();
    assert_eq!(found, expected, "{case}");
}

const UNKNOWN: &str = "__ARR0_unsigned_char$8";

#[test]
fn what_the_receiver_points_to() {
    let source = r#"
#include <stdlib.h>
#include <string.h>
struct item { long a, b, c; };
struct tail { int n; struct item *items[]; };
struct opaque;
union either { int i; double d; };
struct box { int n; struct item **items; };
extern void exit(int);
#define KEEP(p) __asm__ volatile("" : : "r"(p) : "memory")
#define FUNCTION __attribute__((noinline)) void
FUNCTION site_a_struct(void) { struct item *p = malloc(sizeof *p); if (!p) exit(1); KEEP(p); }
FUNCTION site_b_array(const unsigned *n) { struct item *p = malloc(*n * sizeof *p); KEEP(p); }
FUNCTION site_c_pointers(const unsigned *n) { struct item **p = calloc(*n, sizeof *p); KEEP(p); }
FUNCTION site_d_tail(const unsigned *n) { struct tail *p = malloc(sizeof *p + *n * sizeof p->items[0]); KEEP(p); }
FUNCTION site_e_union(const unsigned *n) { union either *p = malloc(*n * sizeof *p); KEEP(p); }
FUNCTION site_f_opaque(void) { struct opaque *p = malloc(24); KEEP(p); }
FUNCTION site_g_void(void) { void *p = malloc(24); KEEP(p); }
FUNCTION site_h_other_size(void) { struct item *p = malloc(25); KEEP(p); }
FUNCTION site_i_any_size(const unsigned *n) { struct item *p = malloc(*n); KEEP(p); }
FUNCTION site_j_characters(const unsigned *n) { char *p = malloc(*n); KEEP(p); }
FUNCTION site_k_function(void) { void (*p)(void) = (void (*)(void))malloc(24); KEEP(p); }
FUNCTION site_l_through(struct box *b) { struct box *in = b; KEEP(in); in->items = malloc(8 * sizeof *in->items); KEEP(in); }
FUNCTION site_m_two_or_larger(void) { struct item *p = malloc(2 * sizeof *p); KEEP(p); }
int main(int argc, char **argv) {
	unsigned n = argc;
	struct box box;
	site_a_struct(); site_b_array(&n); site_c_pointers(&n); site_d_tail(&n); site_e_union(&n); site_f_opaque(); site_g_void();
	site_h_other_size(); site_i_any_size(&n); site_j_characters(&n); site_k_function(); site_l_through(&box); site_m_two_or_larger();
	return 0;
}
"#;
    for case in matrix() {
        // Without optimisation the pointer to the box is in a register for as long as its use takes, and no variable.
        let is_optimised = case.flags.contains(&"-O2".to_owned());
        let through =
            if is_optimised { ("__ARR0___PTR_item", Evidence::Dwarf) } else { (UNKNOWN, Evidence::None) };
        check(
            &case,
            source,
            &[
                ("site_a_struct", "__ARR0_item", Evidence::Dwarf),
                ("site_b_array", "__ARR0_item", Evidence::Dwarf),
                ("site_c_pointers", "__ARR0___PTR_item", Evidence::Dwarf),
                ("site_d_tail", "tail", Evidence::Dwarf),
                ("site_e_union", "__ARR0_either", Evidence::Dwarf),
                ("site_f_opaque", UNKNOWN, Evidence::None),
                ("site_g_void", UNKNOWN, Evidence::None),
                ("site_h_other_size", UNKNOWN, Evidence::None),
                ("site_i_any_size", UNKNOWN, Evidence::None),
                ("site_j_characters", "__ARR0_signed_char$8", Evidence::Dwarf),
                ("site_k_function", UNKNOWN, Evidence::None),
                ("site_l_through", through.0, through.1),
                ("site_m_two_or_larger", UNKNOWN, Evidence::None),
            ],
        );
    }
}

#[test]
fn a_function_that_may_allocate_for_others_says_nothing() {
    let source = r#"
#include <stdlib.h>
struct base { int kind; };
struct derived { struct base base; long more[4]; };
extern void exit(int);
#define KEEP(p) __asm__ volatile("" : : "r"(p) : "memory")
static inline __attribute__((always_inline)) char *site_e_inlined(size_t n) { char *p = malloc(n); if (!p) exit(1); KEEP(p); return p; }
__attribute__((noinline)) char *site_a_returned(size_t n) { char *p = malloc(n); KEEP(p); return p; }
__attribute__((noinline)) struct base *site_b_factory(size_t n) { struct base *p = malloc(n); KEEP(p); return p; }
__attribute__((noinline)) int site_c_out(void **out, size_t n) { char *p = malloc(n); KEEP(p); *out = p; return 0; }
/* With one caller, gcc makes the size a constant of a clone of it. */
static __attribute__((noinline)) char *site_d_clone(size_t n) { char *p = malloc(n); *p = 1; KEEP(p); return p; }
static char *last;
__attribute__((noinline)) char *site_f_kept(size_t n) { last = malloc(n); KEEP(&last); return last; }
__attribute__((noinline)) void site_g_looked_at(const unsigned *n) { void *p = malloc(*n); char *c = p; *c = 0; KEEP(p); KEEP(c); }
/* A jump when it is optimised. */
__attribute__((noinline)) void *site_h_tail(void) { return malloc(24); }
int main(int argc, char **argv) {
	void *out;
	unsigned n = argc;
	struct derived *d = (struct derived *)site_b_factory(sizeof *d), *e = (struct derived *)site_e_inlined(sizeof *e);
	KEEP(d); KEEP(e); KEEP(site_a_returned(argc)); KEEP(site_d_clone(24));
	KEEP(site_f_kept(argc)); site_g_looked_at(&n); KEEP(site_h_tail());
	return site_c_out(&out, argc);
}
"#;
    for case in matrix() {
        let unknown = |name| (name, UNKNOWN, Evidence::None);
        // Where it is inlined the size of the caller's struct is seen, and the variable of the caller's receives it.
        let inlined = match case.flags.contains(&"-O2".to_owned()) {
            true => ("site_e_inlined", "__ARR0_derived", Evidence::Dwarf),
            false => unknown("site_e_inlined"),
        };
        let [a, b, c, d] = ["site_a_returned", "site_b_factory", "site_c_out", "site_d_clone"].map(unknown);
        // The jump of the last one is seen from its caller.
        let [f, g, h] = ["site_f_kept", "site_g_looked_at", "site_h_tail"].map(unknown);
        let expected = [a, b, c, d, inlined, f, g, h];
        check(&case, source, &expected);
    }
}

#[test]
fn the_compilers_own_word_for_it() {
    // 0x3e0e is the attribute of LLVM 22.
    for (attribute, expected) in [("0x3e0e", Some("item")), ("0x8d", Some("item")), ("0x3fff", None)] {
        let tree = format!(
            "
compile_unit
  item: structure_type name=item byte_size=24
  subprogram name=f
    call_site call_return_pc=addr:4096 {attribute}=&item
    call_site call_return_pc=addr:4112
"
        );
        let bytes = trees::assemble(5, &tree);
        let data = DebugData::load(&bytes).unwrap();
        let units = Units::new(&data).unwrap();
        let merged = Types::read(&units).merge();
        let mut warnings = Vec::new();
        let found = alloc_types::read(&units, &merged, &mut warnings);
        assert_eq!(warnings, []);
        let names: Vec<_> = found
            .iter()
            .map(|(&address, &node)| {
                assert!(matches!(merged.types.get(node), Type::Composite { .. }));
                (address, Names::default().of(&merged.types, node).to_string())
            })
            .collect();
        let expected: Vec<_> = expected.map(|name| (4096, name.to_owned())).into_iter().collect();
        assert_eq!(names, expected, "{attribute}");
    }
}

/// Runs a tool of binutils in the directory of a file.
fn run(file: &Path, tool: &str, arguments: &[&str]) {
    let status = Command::new(tool).args(arguments).current_dir(file.parent().unwrap()).status().unwrap();
    assert!(status.success(), "{tool} {arguments:?}");
}

const ONE: &str = "#include <stdlib.h>\nstruct item { long a, b; };\nstruct item *volatile keep;\nint main(void) { struct item *site = malloc(sizeof *site); keep = site; return 0; }\n";

fn one(flags: &[&str]) -> compile::Linked {
    Case { compiler: "gcc", flags: Vec::new() }.with(&["-g", "-Wl,--build-id"]).with(flags).link(ONE)
}

fn add(file: &Path, options: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_allocs"))
        .args(["meta", "add"])
        .args(options)
        .arg(file)
        .output()
        .unwrap();
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[test]
fn debug_information_apart_from_the_file() {
    let linked = one(&[]);
    let whole = added(&linked.path(), &[]).unwrap();
    let file = linked.path();
    run(&file, "objcopy", &["--only-keep-debug", "program", "program.debug"]);
    run(&file, "objcopy", &["--compress-debug-sections", "program.debug"]);
    run(&file, "strip", &["-s", "program"]);
    let error = added(&file, &[]).unwrap_err();
    assert!(error.contains("no debug information") && error.contains(".build-id"), "{error}");

    let debug = file.with_extension("debug");
    let named = ["--debug", debug.to_str().unwrap()];
    assert!(added(&file, &named).unwrap() == whole, "the named debug file gives other metadata");

    run(&file, "objcopy", &["--add-gnu-debuglink=program.debug", "program"]);
    assert!(added(&file, &[]).unwrap() == whole, "the linked debug file gives other metadata");

    std::fs::rename(&debug, file.with_extension("gone")).unwrap();
    assert!(added(&file, &[]).unwrap_err().contains("program.debug"));
    let other = one(&["-O2"]);
    let error = added(&file, &["--debug", other.path().to_str().unwrap()]).unwrap_err();
    assert!(error.contains("another build"), "{error}");

    use object::Object;
    let bytes = std::fs::read(&file).unwrap();
    let id = object::File::parse(&*bytes).unwrap().build_id().unwrap().unwrap().to_vec();
    let digits: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join(".build-id").join(&digits[..2]);
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::copy(file.with_extension("gone"), directory.join(format!("{}.debug", &digits[2..]))).unwrap();
    let rooted = ["--debug-root", root.path().to_str().unwrap()];
    assert!(added(&file, &rooted).unwrap() == whole, "the debug file of the build-id gives other metadata");
}

#[test]
fn into_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let linked = one(&[]);
    let file = linked.path();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o751)).unwrap();
    let (done, said) = add(&file, &[]);
    assert!(done && said.contains("1 of 1 allocation sites with a type"), "{said}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o751);
    assert!(Command::new(&file).status().unwrap().success());
    let left: Vec<_> =
        std::fs::read_dir(file.parent().unwrap()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with('.')), "{left:?}");

    let once = std::fs::read(&file).unwrap();
    let (done, said) = add(&file, &[]);
    assert!(!done && said.contains("--replace"), "{said}");
    assert!(add(&file, &["--replace"]).0);
    assert!(std::fs::read(&file).unwrap() == once, "the second time gives another file");

    let receivers =
        Command::new(env!("CARGO_BIN_EXE_allocs")).args(["meta", "--receivers"]).arg(&file).output();
    let receivers = String::from_utf8(receivers.unwrap().stdout).unwrap();
    assert!(
        receivers.contains(
            "program.c:4 main malloc: __ARR0_item (dwarf), receiver item, without source __ARR0_item: agree"
        ) && receivers.contains("1 sites: 1 agree, 0 disagree"),
        "{receivers}"
    );
}

#[test]
fn what_cannot_be_given_metadata() {
    let linked = one(&["-c"]);
    let (done, said) = add(&linked.path(), &[]);
    assert!(!done && said.contains("neither an executable nor a shared object"), "{said}");
    let (done, said) = add(&linked.path().with_file_name("program.c"), &[]);
    assert!(!done && said.contains("not an ELF file"), "{said}");
    let (done, said) = add(Path::new("/nonexistent"), &[]);
    assert!(!done && said.contains("cannot be read"), "{said}");
    let anonymous = one(&["-Wl,--build-id=none"]);
    let error = added(&anonymous.path(), &[]).unwrap_err();
    assert!(error.contains("no build-id"), "{error}");
}
