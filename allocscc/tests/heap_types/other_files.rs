//! Functions that allocate for callers in other files: what is said of them, what is believed of them, and what is assumed.

use allocscc::sites::functions::DeclaredFunctions;
use allocscc::sites::imports::{Expected, Imports};
use allocscc::sites::signature::Signature;
use allocscc::sites::solve::{SolvedSite, solve};

use super::{facts, spell_site};

const ABORT: &str = "void abort(void);";

/// What the functions of a file do for others: name and words.
fn signatures(source: &str, imports: &Imports, declared: &str) -> Vec<String> {
    let source = format!("{ABORT}\n{source}");
    let declared_functions = DeclaredFunctions::parse(declared).unwrap();
    let solution = solve(&[facts(&source, declared)], &declared_functions, imports);
    solution.signatures.iter().map(|(name, signature)| format!("{name} {}", signature.text())).collect()
}

fn check_signatures(source: &str, expect: &[&str]) {
    assert_eq!(signatures(source, &Imports::default(), ""), expect, "{source}");
}

/// The functions of a library that is linked, as `name words`, and names that nothing defines.
fn imports(wrappers: &[&str], undefined: &[&str]) -> Imports {
    let wrapper = |text: &&str| {
        let (name, text) = text.split_once(' ').unwrap();
        (name.to_owned(), Signature::parse(text).unwrap())
    };
    Imports {
        wrappers: wrappers.iter().map(wrapper).collect(),
        undefined: undefined.iter().map(|name| (*name).to_owned()).collect(),
    }
}

fn spell(site: &SolvedSite) -> String {
    let requirement = |expected: &Expected| match expected {
        Expected::Signature(_) => "as linked".to_owned(),
        Expected::SizeIs(parameter) => format!("size is p{parameter}"),
        Expected::SizeHas(parameter) => format!("size has p{parameter}"),
        Expected::Plain => "plain".to_owned(),
    };
    let requirements =
        site.requirements.iter().map(|it| format!(", if {} {}", it.function, requirement(&it.expected)));
    spell_site(site) + &requirements.collect::<String>()
}

fn check(imports: &Imports, source: &str, expect: &[&str]) {
    let source = format!("{ABORT}\n{source}");
    let solution = solve(&[facts(&source, "")], &DeclaredFunctions::default(), imports);
    let sites: Vec<String> = solution.sites.iter().map(spell).collect();
    assert_eq!(sites, expect, "{source}");
}

#[test]
fn what_functions_say_of_themselves() {
    check_signatures(
        "void *get(size_t n) { void *p = malloc(n ? n : 1); if (!p) abort(); return p; }
         static void *own(size_t n) { return get(n + 1); }
         void *zeroed(size_t n, size_t m) { return calloc(m, n); }
         void *more(void *p, size_t n) { return realloc(p, own == 0 ? 1 : n); }
         int out(int kind, void **out, size_t n) { *out = malloc(n); return kind; }
         void *through(size_t n) { return own(n); }
         struct point *points(int n) { struct point *p = malloc(n * sizeof *p); return p; }",
        &[
            "get returns p0",
            "more returns resized p1",
            "out stores at p1 p2",
            "through returns (p0+1)",
            "zeroed returns (p1*p0)",
        ],
    );
}

#[test]
fn helpers_and_types_stay_at_home() {
    check_signatures(
        "static size_t rounded(size_t n) { return (n + sizeof(void *) - 1) & ~(sizeof(void *) - 1); }
         size_t unknown(size_t n);
         void *get(size_t n) { return malloc(rounded(n)); }
         void *other(size_t n) { return malloc(unknown(n)); }
         void *header(size_t n) { struct header *h = malloc(n + sizeof *h); return h + 1; }",
        &[
            "get returns p0",
            "header returns (p0+1) behind [Sizeof(Tagged { kind: Struct, tag: \"header\", place: Place { file: \"prelude.c\", line: 17 } })]",
            "other returns ((p0)*?)",
        ],
    );
    assert_eq!(Signature::parse("returns p0 behind ?"), None);
}

#[test]
fn declared_by_hand() {
    let source = "void *get(int kind, size_t n) { return malloc(2 * n + kind); }";
    assert_eq!(signatures(source, &Imports::default(), "get(iZ)p"), ["get returns p1"]);
}

#[test]
fn what_libraries_say_is_believed() {
    let library = imports(
        &["get returns p0", "zeroed returns (p0*p1)", "out stores at p0 p1", "more returns resized p1"],
        &[],
    );
    check(
        &library,
        "void *get(size_t); void *zeroed(size_t, size_t); int out(void **, size_t); void *more(void *, size_t);
         void *here(size_t n) { void *p = get(n + 8); if (!p) abort(); return p; }
         void f(size_t n) {
             struct point *p = get(n * sizeof *p); void *q = zeroed(n, sizeof(struct node));
             struct node *r; out((void **) &r, sizeof *r);
             p = more(p, 2 * n * sizeof *p); r = here(sizeof *r); }",
        &[
            "get: unknown, none, for the caller, if get as linked",
            "get: array of struct point, both, if get as linked",
            "zeroed: array of struct node, sizeof, if zeroed as linked",
            "out: array of struct node, both, if out as linked",
            "more: array of struct point, both, retypes, if more as linked",
            "here: array of struct node, both",
        ],
    );
    // The file's own function comes first, and what is known of a name before all.
    check(
        &imports(&["get returns p0", "malloc returns p1"], &[]),
        "static void *get(int kind, size_t n) { return malloc(n); } void f(void) { struct node *p = get(1, sizeof *p); }",
        &["malloc: unknown, none, for the caller", "get: array of struct node, both"],
    );
}

#[test]
fn what_nothing_defines_is_assumed() {
    let program = imports(&[], &["get"]);
    check(
        &program,
        "void *get(size_t n, ...);
         void *here(size_t n) { void *p = get(n); if (!p) abort(); return p; }
         void *both(size_t n, size_t m) { return get(n, m); }
         void f(size_t n, struct point *a) {
             struct point *p = get(n * sizeof *p); void *q = get(n, sizeof(struct node));
             struct text *t = get(sizeof *t + n); struct node *r = get(3, a); struct node *s = get(n);
             void *u = get(sizeof(struct node), sizeof(struct point)); void *v = get(3);
             struct point *w = here(sizeof *w); }",
        &[
            "get: unknown, none, for the caller, if get size is p0",
            "get: array of struct point, both, retypes, if get size has p0",
            "get: array of struct node, sizeof, retypes, if get size has p1",
            "get: flexible struct text, both, retypes, if get size is p0",
            "get: array of struct node, receiver, if get plain",
            "get: array of struct node, receiver, if get size is p0",
            "here: array of struct point, both, retypes",
        ],
    );
    check(&Imports::default(), "void *get(size_t); void f(void) { struct node *n = get(sizeof *n); }", &[]);
}

#[test]
fn through_function_pointers() {
    check(
        &imports(&["get returns p0"], &["more"]),
        "void *get(size_t); void *more(size_t);
         void f(int c) { void *(*g)(size_t) = c ? get : more; struct node *n = g(sizeof *n); }",
        &["*: array of struct node, both, retypes, if get as linked, if more size has p0"],
    );
}
