//! Why a site has its type or none: reasons, and the steps that led there.

use allocscc::sites::explain::Step;
use allocscc::sites::functions::DeclaredFunctions;
use allocscc::sites::imports::Imports;
use allocscc::sites::solve::{SolvedSite, solve};

use super::facts;

fn sites(source: &str) -> Vec<SolvedSite> {
    solve(&[facts(source, "")], &DeclaredFunctions::default(), &Imports::default()).sites
}

/// The sites that are no wrapper's own, as `reason: detail`.
fn check_reasons(source: &str, expect: &[&str]) {
    let sites = sites(source);
    let unknown = sites.iter().filter(|site| !site.is_in_wrapper).filter_map(|site| site.why.reason.as_ref());
    let reasons: Vec<String> = unknown.map(|(reason, detail)| format!("{reason:?}: {detail}")).collect();
    assert_eq!(reasons, expect, "{source}");
}

/// The last site, its steps as `kind line text`.
fn check_steps(source: &str, expect: &[&str]) {
    let sites = sites(source);
    let spell = |step: &Step| {
        let number = if step.number == 0 { String::new() } else { format!(" #{}", step.number) };
        assert_eq!(step.place.file, "case.c");
        format!("{:?} {} {}{number}", step.kind, step.place.line, step.text)
    };
    let why = &sites.last().unwrap().why;
    let steps: Vec<String> = why.steps.iter().chain(&why.hops).map(spell).collect();
    assert_eq!(steps, expect, "{source}");
}

#[test]
fn unknown_has_a_reason() {
    check_reasons("void f(size_t n) { void *p = malloc(n); }", &["NoSizeof: "]);
    check_reasons("void use(void *); void f(size_t n) { use(malloc(n)); }", &["PassedOn: use"]);
    check_reasons(
        "void use(void *); void f(size_t n) { void *p = malloc(n); memcpy(p, p, n); use(p); }",
        &["PassedOn: use"],
    );
    check_reasons(
        "void f(size_t n) { struct incomplete *p = malloc(n); }",
        &["Incomplete: struct incomplete *"],
    );
    check_reasons(
        "void f(size_t n, int c) { void *p = malloc(c ? sizeof(struct point) : n); }",
        &["Branch: struct point"],
    );
    check_reasons(
        "void f(size_t n, size_t m) { void *p = malloc(n * sizeof(int) + m * sizeof(struct point)); }",
        &["TwoArrays: "],
    );
    check_reasons(
        "void f(int c) { void *p = malloc(c == 1 ? sizeof(int) : c == 2 ? sizeof(long) : c == 3 ? sizeof(short)
         : c == 4 ? sizeof(double) : sizeof(struct point)); }",
        &["Branches: "],
    );
    check_reasons(
        "static void *one(size_t n) { return malloc(n); }
         static void *two(size_t n) { struct header *h = malloc(n + sizeof *h); return h + 1; }
         void *(*make)(size_t); void set(int c) { make = c ? one : two; }
         void f(size_t n) { void *p = make(n); }",
        &["Pointer: one, two"],
    );
}

#[test]
fn what_is_known_has_no_reason() {
    check_reasons("void f(void) { int *p = malloc(sizeof(int)); char *s = strdup(\"\"); }", &[]);
}

#[test]
fn sizeof_and_receiver_stand_in_their_lines() {
    check_steps(
        "void f(size_t n)\n{\n struct point *p;\n p = malloc(\n  n * sizeof(struct point));\n}",
        &["Sizeof 5 sizeof (struct point)", "Receiver 4 struct point * (p)"],
    );
    check_steps(
        "struct holder { struct { struct point *all; } in; };
         void f(struct holder *h, size_t n) { h->in.all = malloc(n); }",
        &["Receiver 2 struct point * (h->in.all)"],
    );
    check_steps("void *f(void) { return (int *)malloc(4); }", &["Receiver 1 int *"]);
    check_steps(
        "struct point *f(void) { return malloc(8); }",
        &["Receiver 1 struct point * (what the function returns)"],
    );
}

#[test]
fn a_size_flows_through_variables_and_helpers() {
    check_steps(
        "void f(size_t n)\n{\n size_t one = sizeof(struct point);\n size_t all = one;\n all = n * one;\n void *p = malloc(all);\n}",
        &["Variable 5 all", "Variable 3 one", "Sizeof 3 sizeof (struct point)"],
    );
    // Only the assignments that the call sees.
    check_steps(
        "void f(void)\n{\n size_t n = sizeof(int);\n void *q = malloc(n);\n n = sizeof(struct point);\n q = malloc(n);\n}",
        &["Variable 5 n", "Sizeof 5 sizeof (struct point)"],
    );
    check_steps(
        "static size_t of(size_t n)\n{ return n * sizeof(struct point); }\nvoid f(size_t n) { void *p = malloc(of(n)); }",
        &["Helper 1 of"],
    );
    check_steps(
        "static const size_t one =\n sizeof(struct point);\nvoid f(void) { void *p = malloc(one); }",
        &["Variable 1 one"],
    );
}

#[test]
fn a_block_flows_through_a_variable() {
    check_steps(
        "void f(size_t n)\n{\n void *raw = malloc(n);\n struct point *p = raw;\n}",
        &["Receiver 4 struct point * (p, from raw)"],
    );
}

#[test]
fn wrappers_are_hops() {
    check_steps(
        "void *inner(int zone, size_t n)\n{ return malloc(n); }\nvoid *outer(size_t n)\n{ void *p = inner(1, n); return p; }
         void f(void) { struct point *p = outer(sizeof *p); }",
        &[
            "Sizeof 5 sizeof (struct point)",
            "Receiver 5 struct point * (p)",
            "Wrapper 3 outer #1",
            "Call 4 inner",
            "Wrapper 1 inner #2",
            "Call 2 malloc",
        ],
    );
    check_steps(
        "struct methods { void *(*get)(size_t); };
         static void *get(size_t n) { return malloc(n); }
         static struct methods all = { get };
         void f(void) { int *p = all.get(4); }",
        &["Receiver 4 int * (p)", "Targets 4 get: get", "Wrapper 2 get #1", "Call 2 malloc"],
    );
}

#[test]
fn verdicts_are_told() {
    check_steps(
        "void f(int c) { void *p = malloc(c ? sizeof(struct point) : sizeof(struct node)); }",
        &[
            "Sizeof 1 sizeof (struct point)",
            "Sizeof 1 sizeof (struct node)",
            "Union 1 the branches of the size name different types",
        ],
    );
    check_steps(
        "void f(size_t n) { char *p = malloc(n); }",
        &[
            "Receiver 1 char * (p)",
            "Buffer 1 the pointer that receives the result is one to characters or bytes",
        ],
    );
    check_steps(
        "void f(const char *s) { void *p = malloc(strlen(s) + 1); }",
        &["Buffer 1 the size is that of a string"],
    );
    check_steps(
        "void f(void) { struct point *p = malloc(4 * sizeof(int)); }",
        &[
            "Sizeof 1 sizeof (int)",
            "Receiver 1 struct point * (p)",
            "Dropped 1 the size names a type, but the pointer says more",
        ],
    );
    check_steps(
        "void f(size_t n) { int *p = malloc(n * sizeof(struct point)); }",
        &[
            "Sizeof 1 sizeof (struct point)",
            "Receiver 1 int * (p)",
            "Dropped 1 the pointer is to another type, but the size says more",
        ],
    );
    check_steps(
        "void f(size_t n) { struct point *p = malloc(sizeof(struct header) + n * sizeof(struct point)); }",
        &[
            "Sizeof 1 sizeof (struct header)",
            "Sizeof 1 sizeof (struct point)",
            "Receiver 1 struct point * (p)",
        ],
    );
    check_steps(
        "void f(size_t n, int c) { void *p = malloc(c ? sizeof(struct point) : n); }",
        &["Sizeof 1 sizeof (struct point)", "Dropped 1 the size names a type in some cases only"],
    );
}
