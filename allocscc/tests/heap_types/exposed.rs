//! Function pointers that somebody may change through their address: any function may be called.

use allocscc::sites::explain::Reason;
use allocscc::sites::functions::DeclaredFunctions;
use allocscc::sites::imports::Imports;
use allocscc::sites::solve::solve;

use super::{check_file, facts, solved};

const PRELUDE: &str = "typedef void *maker(size_t); void set(maker **); void *dlsym(void *, const char *);
    struct hooks { maker *make; }; maker *hook = malloc; static maker *own = malloc; maker *table[2] = { malloc };";
/// A call through a pointer to `malloc`.
const UNKNOWN: &str = "*: unknown, none";
const POINT: &str = "*: array of struct point, both";

fn check(body: &str, expect: &str) {
    let source = format!("{PRELUDE} void f(struct hooks *h) {{ {body} }}");
    assert_eq!(solved(&[&source], "").last().map(String::as_str), Some(expect), "{body}");
}

#[test]
fn nobody_has_the_address() {
    for body in [
        "maker *m = malloc; struct point *p = m(sizeof *p);",
        "maker *m = &malloc; struct point *p = (*m)(sizeof *p);",
        "struct point *p = hook(sizeof *p);",
        "maker *m = *(maker *volatile *)&hook; struct point *p = hook(sizeof *p);",
        "h->make = malloc; struct hooks *other = &h[1]; struct point *p = other->make(sizeof *p);",
    ] {
        check(body, POINT);
    }
}

#[test]
fn somebody_has_the_address() {
    for body in [
        "maker *m = malloc; set(&m); struct point *p = m(sizeof *p);",
        "maker *m = malloc; *(void **)&m = dlsym(0, \"make\"); struct point *p = m(sizeof *p);",
        "maker *m = malloc; memcpy(&m, h, sizeof m); struct point *p = m(sizeof *p);",
        "set(&hook); struct point *p = hook(sizeof *p);",
        "set((maker **)(void *)&own); struct point *p = own(sizeof *p);",
        "h->make = malloc; set(&h->make); struct point *p = h->make(sizeof *p);",
        "set(&table[1]); struct point *p = table[0](sizeof *p);",
        // A copy is what the original was.
        "set(&hook); maker *m = hook; struct point *p = m(sizeof *p);",
    ] {
        check(body, UNKNOWN);
    }
}

#[test]
fn the_address_is_in_another_function_or_file() {
    let call = "void f(void) { struct point *p = hook(sizeof *p); }";
    let other = "extern void *(*hook)(size_t); void **where(void) { return (void **)&hook; }";
    assert_eq!(solved(&[&format!("{PRELUDE} {call}"), other], ""), [UNKNOWN]);
    let tables = [
        "void *names[] = { &hook };",
        "struct { const char *name; void **at; } names[] = { { \"make\", (void **)&hook } };",
        "static maker **const at = &hook;",
    ];
    for table in tables {
        check_file(&format!("{PRELUDE} {table} {call}"), &[UNKNOWN]);
    }
}

/// What calls such a pointer allocates for nobody else either: what its arguments mean is not known.
#[test]
fn a_function_that_calls_it_is_no_wrapper() {
    check_file(
        &format!(
            "{PRELUDE} void *get(size_t n) {{ return hook(n); }} void g(void) {{ set(&hook); }}
             void f(void) {{ struct point *p = get(sizeof *p); }}"
        ),
        &[UNKNOWN],
    );
}

#[test]
fn the_reason_is_said() {
    let source = format!("{PRELUDE} void f(void) {{ set(&hook); struct point *p = hook(sizeof *p); }}");
    let sites = solve(&[facts(&source, "")], &DeclaredFunctions::default(), &Imports::default()).sites;
    let reason = Some((Reason::Pointer, "malloc, what is stored through its address".to_owned()));
    assert_eq!(sites[0].why.reason, reason);
}
