//! C in, the type of each allocation out: every row of the table "what a heap allocation's type is", and every way that
//! evidence flows to a call inside one file.

mod carving;
mod endings;
mod explain;
mod exposed;
mod members;
mod mixed;
mod other_files;
mod uses;
mod within;
mod wrappers;

use allocscc::sites::extract::{UnitInfo, facts_of_unit};
use allocscc::sites::facts::{FileFacts, TagKind, TypeRef};
use allocscc::sites::functions::DeclaredFunctions;
use allocscc::sites::heap_type::{Head, HeapType};
use allocscc::sites::imports::Imports;
use allocscc::sites::solve::{SolvedSite, solve};

/// What every case may use.
const PRELUDE: &str = r#"
typedef unsigned long size_t;
void *malloc(size_t); void *calloc(size_t, size_t); void *realloc(void *, size_t); void *reallocarray(void *, size_t, size_t);
void *memalign(size_t, size_t); int posix_memalign(void **, size_t, size_t); void *aligned_alloc(size_t, size_t);
void *valloc(size_t); void *pvalloc(size_t); void *alloca(size_t); void free(void *);
char *strdup(const char *); char *strndup(const char *, size_t); int asprintf(char **, const char *, ...);
long getline(char **, size_t *, void *); size_t strlen(const char *); int snprintf(char *, size_t, const char *, ...);
void *memcpy(void *, const void *, size_t); char *strcpy(char *, const char *);
struct point { int x, y; };
typedef struct { double re, im; } complex_t;
struct node { struct node *next; struct point at; };
struct text { size_t length; char data[]; };
struct old_text { size_t length; char data[1]; };
struct gnu_text { size_t length; char data[0]; };
struct table { int count; struct point items[]; };
struct outer { int kind; struct table inner; };
struct header { int kind; long size; };
union value { int i; double d; };
enum colour { RED, GREEN };
struct incomplete;
"#;

fn spell(ty: &TypeRef) -> String {
    match ty {
        TypeRef::Void => "void".into(),
        TypeRef::Base(base) => match (base.encoding, base.size) {
            (6, 1) => "char".into(),
            (8, 1) => "uchar".into(),
            (2, 1) => "bool".into(),
            (5, size) => format!("int{}", size * 8),
            (7, size) => format!("uint{}", size * 8),
            (4, size) => format!("float{}", size * 8),
            (encoding, size) => format!("base{encoding}_{size}"),
        },
        TypeRef::Tagged { kind, tag, place } => {
            let word = match kind {
                TagKind::Struct => "struct",
                TagKind::Union => "union",
                TagKind::Enum => "enum",
            };
            format!("{}{word} {tag}", if place.line == 0 { "incomplete " } else { "" })
        }
        TypeRef::Anonymous { typedef, .. } => typedef.clone().unwrap_or_else(|| "anonymous".into()),
        TypeRef::Pointer(to) => format!("{}*", spell(to)),
        TypeRef::Array(element, length) => {
            format!("{}[{}]", spell(element), length.map(|length| length.to_string()).unwrap_or_default())
        }
        TypeRef::Function { .. } => "function".into(),
    }
}

fn spell_heap(ty: &HeapType) -> String {
    match ty {
        HeapType::ArrayOf(of) => format!("array of {}", spell(of)),
        HeapType::Flexible(of) => format!("flexible {}", spell(of)),
        HeapType::Sequence { before, head, element } => {
            let before: String = before.iter().map(|ty| format!("{} then ", spell(ty))).collect();
            match head {
                Head::Whole(head) => format!("{before}{} then {}", spell(head), spell(element)),
                Head::UpTo(head, member) => {
                    format!("{before}{} up to {member} then {}", spell(head), spell(element))
                }
            }
        }
        HeapType::OneOf(types) => types.iter().map(spell_heap).collect::<Vec<_>>().join(" | "),
        HeapType::Unknown => "unknown".into(),
    }
}

fn spell_site(site: &SolvedSite) -> String {
    let mut text = format!(
        "{}: {}, {}",
        site.callee.as_deref().unwrap_or("*"),
        spell_heap(&site.ty),
        site.evidence.word()
    );
    if site.is_in_wrapper {
        text.push_str(", for the caller");
    }
    if site.is_buffer {
        text.push_str(", buffer");
    }
    if site.retypes {
        text.push_str(", retypes");
    }
    text
}

fn facts(source: &str, declared: &str) -> FileFacts {
    let text = format!("# 1 \"prelude.c\"\n{PRELUDE}\n# 1 \"case.c\"\n{source}");
    let declared = DeclaredFunctions::parse(declared).unwrap();
    let facts = facts_of_unit(text.as_bytes(), &UnitInfo { declared, ..UnitInfo::default() });
    assert_eq!(facts.skipped, [], "{source}");
    facts
}

fn solved(sources: &[&str], declared: &str) -> Vec<String> {
    let files: Vec<FileFacts> = sources.iter().map(|source| facts(source, declared)).collect();
    let solution = solve(&files, &DeclaredFunctions::parse(declared).unwrap(), &Imports::default());
    solution.sites.iter().map(spell_site).collect()
}

/// A function body in, its sites out.
fn check(body: &str, expect: &[&str]) {
    check_file(&format!("void f(size_t n, size_t m, const char *s, int c) {{ {body} }}"), expect);
}

fn check_file(source: &str, expect: &[&str]) {
    assert_eq!(solved(&[source], ""), expect, "{source}");
}

#[test]
fn sizeof_times_a_number() {
    check("int *p = malloc(42 * sizeof(int));", &["malloc: array of int32, both"]);
    check("int *p = malloc(sizeof(int) * n);", &["malloc: array of int32, both"]);
    check("void *p = malloc(n * sizeof(struct point));", &["malloc: array of struct point, sizeof"]);
    check("void *p = malloc(sizeof(struct point));", &["malloc: array of struct point, sizeof"]);
    check("struct point *p = malloc(sizeof *p);", &["malloc: array of struct point, both"]);
    check("struct point *p = malloc(n * m * sizeof(*p));", &["malloc: array of struct point, both"]);
    check("struct node *p = malloc(sizeof(p[0]));", &["malloc: array of struct node, both"]);
    check(
        "struct node *p; struct point *q = malloc(sizeof p->next->at);",
        &["malloc: array of struct point, both"],
    );
    check("void *p = malloc(sizeof(complex_t));", &["malloc: array of complex_t, sizeof"]);
    check("void *p = malloc(sizeof(union value) * 3);", &["malloc: array of union value, sizeof"]);
    check("void *p = malloc(sizeof(enum colour) * 3);", &["malloc: array of enum colour, sizeof"]);
    check("void *p = malloc(n * sizeof(struct point *));", &["malloc: array of struct point*, sizeof"]);
    check("void **p = malloc(n * sizeof(struct point *));", &["malloc: array of struct point*, sizeof"]);
    check("void *p = malloc(n * sizeof(int[4]));", &["malloc: array of int32[4], sizeof"]);
    check("int (*p)[4] = malloc(n * sizeof *p);", &["malloc: array of int32[4], both"]);
    check("int (*p)[n] = malloc(m * sizeof *p);", &["malloc: array of int32, sizeof"]);
    check("void *p = malloc(sizeof(long double));", &["malloc: array of float128, sizeof"]);
    check("void *p = malloc(n << 3 * sizeof(int));", &["malloc: unknown, none"]);
    check("void *p = malloc(sizeof(int) << 4);", &["malloc: array of int32, sizeof"]);
    check("void *p = malloc((n + 1) * sizeof(int));", &["malloc: array of int32, sizeof"]);
    check("void *p = malloc(sizeof(int) + n * sizeof(int));", &["malloc: array of int32, sizeof"]);
    check(
        "void *p = malloc((n * sizeof(struct point) + 15) & ~15ul);",
        &["malloc: array of struct point, sizeof"],
    );
    check("void *p = malloc(sizeof(struct header) + 7 & ~7);", &["malloc: array of struct header, sizeof"]);
    check("void *p = malloc((size_t)((unsigned)n * sizeof(short)));", &["malloc: array of int16, sizeof"]);
    check("void *p = malloc(n * sizeof(int) / 2);", &["malloc: array of int32, sizeof"]);
    check("int a[8]; void *p = malloc(sizeof a / sizeof a[0]);", &["malloc: unknown, none"]);
    check("int a[8]; void *p = malloc(sizeof a);", &["malloc: array of int32[8], sizeof"]);
    check(
        "void *p = malloc(sizeof(struct point) * sizeof(int));",
        &["malloc: array of struct point, sizeof"],
    );
}

#[test]
fn flexible_tails() {
    check("struct text *p = malloc(sizeof(struct text) + n);", &["malloc: flexible struct text, both"]);
    check(
        "unsigned k = n + sizeof(struct text) / 4; struct text *p = calloc(k, 4);",
        &["calloc: flexible struct text, both"],
    );
    check("struct text *p = malloc(sizeof *p + strlen(s) + 1);", &["malloc: flexible struct text, both"]);
    check("struct text *p = malloc(sizeof *p + n * sizeof(char));", &["malloc: flexible struct text, both"]);
    check("struct old_text *p = malloc(sizeof *p - 1 + n);", &["malloc: flexible struct old_text, both"]);
    check("struct gnu_text *p = malloc(n + sizeof *p);", &["malloc: flexible struct gnu_text, both"]);
    check(
        "void *p = malloc(sizeof(struct table) + n * sizeof(struct point));",
        &["malloc: flexible struct table, sizeof"],
    );
    check(
        "void *p = malloc(n * sizeof(struct point) + sizeof(struct table));",
        &["malloc: flexible struct table, sizeof"],
    );
    check(
        "struct table *t = malloc(sizeof *t + n * sizeof(t->items[0]));",
        &["malloc: flexible struct table, both"],
    );
    check(
        "void *p = malloc(sizeof(struct outer) + n * sizeof(struct point));",
        &["malloc: flexible struct outer, sizeof"],
    );
    check(
        "void *p = malloc(__builtin_offsetof(struct old_text, data) + n);",
        &["malloc: flexible struct old_text, sizeof"],
    );
    check(
        "void *p = malloc(__builtin_offsetof(struct table, items) + n * sizeof(struct point));",
        &["malloc: flexible struct table, sizeof"],
    );
    check(
        "void *p = malloc(__builtin_offsetof(struct table, items[n]));",
        &["malloc: flexible struct table, sizeof"],
    );
    check(
        "void *p = malloc(sizeof(struct old_text) - sizeof(char) + n * sizeof(char));",
        &["malloc: flexible struct old_text, sizeof"],
    );
    check("struct text *p = malloc(n);", &["malloc: flexible struct text, receiver"]);
    check("struct text *p = calloc(n, 4);", &["calloc: flexible struct text, receiver"]);
    check("struct table *p = calloc(n, 8);", &["calloc: flexible struct table, receiver"]);
    check("struct text *p = malloc(sizeof(struct text));", &["malloc: array of struct text, both"]);
    check("void *p = malloc(n * sizeof(struct text));", &["malloc: array of struct text, sizeof"]);
}

#[test]
fn flexible_tails_by_the_size_of_another_type() {
    let closures = "struct closure { int count; struct node *values[1]; };
        struct numbers { int count; unsigned values[]; };";
    for (size, expect) in [
        (
            "__builtin_offsetof(struct closure, values) + (int)sizeof(struct point *) * n",
            "flexible struct closure",
        ),
        ("sizeof(struct closure) + n * sizeof(void *)", "flexible struct closure"),
        ("sizeof(struct closure) + n * sizeof(long)", "struct closure then int64"),
        ("sizeof(struct numbers) + n * sizeof(float)", "flexible struct numbers"),
        ("__builtin_offsetof(struct numbers, values) + n * sizeof(int)", "flexible struct numbers"),
        ("sizeof(struct numbers) + n * sizeof(short)", "struct numbers then int16"),
    ] {
        let source = format!("{closures} void *f(size_t n) {{ void *p = malloc({size}); return 0; }}");
        check_file(&source, &[&format!("malloc: {expect}, sizeof")]);
    }
}

#[test]
fn structs_without_their_last_member_and_more() {
    let string = "struct string { unsigned references; size_t length; char text[2]; };
        struct message { int kind; int words[4]; };";
    for size in [
        "sizeof(struct string) - 1 + n",
        "n + (sizeof(struct string) - 1)",
        "sizeof(struct string) - 2 + strlen(s) + 1",
        "((n + sizeof(struct string) - 1 + 7) >> 3) << 3",
    ] {
        let source =
            format!("{string} void f(size_t n, const char *s) {{ struct string *p = malloc({size}); }}");
        check_file(&source, &["malloc: flexible struct string, both"]);
    }
    for size in ["- sizeof(int[4]) + n * sizeof(int)", "+ n * sizeof(int) - 16"] {
        let size = format!("sizeof(struct message) {size}");
        let source = format!("{string} void f(size_t n) {{ struct message *p = malloc({size}); }}");
        check_file(&source, &["malloc: flexible struct message, both"]);
    }
    // The pool of a size class, in a function of its own.
    check_file(
        &format!(
            "{string} static void *get(size_t n) {{ unsigned blocks = (n + 7) >> 3; return malloc(blocks << 3); }}
             void f(size_t n) {{ struct string *p = get(n + (sizeof(struct string) - 1)); }}"
        ),
        &["malloc: unknown, none, for the caller", "get: flexible struct string, both"],
    );
    // Behind a wrapper's header, it is one all the same, not the first of many.
    check_file(
        &format!(
            "{string} static void *get(size_t n) {{ long *p = malloc(n + sizeof *p); return p + 1; }}
             void f(size_t n) {{ struct string *p = get(sizeof(struct string) - 2 + n); }}"
        ),
        &["malloc: unknown, none, for the caller", "get: int64 then struct string then uchar, both"],
    );
    check(
        "void *p = malloc(sizeof(struct header) + n + 15 - 1);",
        &["malloc: struct header then uchar, sizeof"],
    );
    check("void *p = malloc(sizeof(struct header) - 1);", &["malloc: array of struct header, sizeof"]);
}

#[test]
fn header_and_elements() {
    check(
        "void *p = malloc(sizeof(struct header) + n * sizeof(struct point));",
        &["malloc: struct header then struct point, sizeof"],
    );
    check(
        "struct header *h = malloc(sizeof *h + n * sizeof(double));",
        &["malloc: struct header then float64, both"],
    );
    check(
        "void *p = malloc(sizeof(struct table) + n * sizeof(int));",
        &["malloc: struct table then int32, sizeof"],
    );
    check(
        "void *p = malloc(sizeof(struct header) + sizeof(struct point));",
        &["malloc: struct header then struct point, sizeof"],
    );
    check(
        "void *p = malloc(__builtin_offsetof(struct node, at) + n * sizeof(int));",
        &["malloc: struct node up to at then int32, sizeof"],
    );
    check(
        "void *p = malloc(sizeof(struct header) + strlen(s) + 1);",
        &["malloc: struct header then char, sizeof"],
    );
    check("void *p = malloc(sizeof(struct header) + n);", &["malloc: struct header then uchar, sizeof"]);
    check("void *p = malloc(sizeof(struct header) + 4096);", &["malloc: struct header then uchar, sizeof"]);
    check(
        "void *p = calloc(1, sizeof(struct header) + n * sizeof(int));",
        &["calloc: struct header then int32, sizeof"],
    );
    check(
        "struct header *p = malloc(sizeof(struct header) + sizeof(struct point) + n * sizeof(int));",
        &["malloc: struct header then uchar, both"],
    );
}

#[test]
fn more_behind_a_header_than_one_kind_of_elements() {
    for size in [
        "sizeof(struct header) + n * sizeof(int) + m",
        "sizeof(struct header) + n * sizeof(int) + strlen(s) + 1",
        "sizeof(struct header) + __builtin_offsetof(struct text, data) + n",
    ] {
        check(&format!("void *p = malloc({size});"), &["malloc: struct header then uchar, sizeof"]);
    }
    check(
        "struct header *p = malloc(sizeof *p + n * sizeof(int) + __builtin_offsetof(struct text, data) + m);",
        &["malloc: struct header then uchar, both"],
    );
    check(
        "void *p = malloc(__builtin_offsetof(struct node, at) + n * sizeof(int) + m * sizeof(long));",
        &["malloc: struct node up to at then uchar, sizeof"],
    );
    check(
        "int k = 0; while (c--) k++; char **p = malloc(k * (sizeof(char *) + sizeof(int)));",
        &["malloc: char* then uchar, both"],
    );
}

#[test]
fn elements_before_a_header() {
    let size = "n * sizeof(struct point) + sizeof(struct header)";
    check(&format!("void *p = malloc({size});"), &["malloc: struct header then struct point, sizeof"]);
    check(&format!("struct header *p = malloc({size});"), &["malloc: struct header then struct point, both"]);
    check(&format!("struct point *p = malloc({size});"), &["malloc: array of struct point, both"]);
    check(
        "char *p = malloc(n * sizeof(char) + sizeof(struct header));",
        &["malloc: struct header then char, sizeof"],
    );
}

#[test]
fn sizes_that_are_one_dereference_short() {
    check(
        "struct point **p = malloc(n * sizeof(struct point));",
        &["malloc: array of struct point*, receiver"],
    );
    check("int **p = malloc(n * sizeof(int));", &["malloc: array of int32*, receiver"]);
    check(
        "struct header **p = malloc(n * sizeof(struct point));",
        &["malloc: array of struct point, sizeof"],
    );
    check_file(
        "struct list { int count; struct point *items[]; };
         void *f(size_t n) { return malloc(sizeof(struct list) + n * sizeof(struct point)); }",
        &["malloc: flexible struct list, sizeof"],
    );
}

#[test]
fn units_of_rounding() {
    for unit in ["sizeof(void *)", "sizeof(long)", "_Alignof(long)", "64"] {
        for size in [
            "(SIZE + UNIT - 1) & ~(UNIT - 1)",
            "(SIZE + (UNIT - 1)) & ~(UNIT - 1)",
            "(SIZE + UNIT - 1) & -UNIT",
            "SIZE + (UNIT - SIZE % UNIT)",
        ] {
            let size = size.replace("UNIT", unit);
            let of = |what: &str| format!("void *p = malloc({});", size.replace("SIZE", what));
            check(&of("n"), &["malloc: unknown, none"]);
            if !size.contains('%') {
                check(&of("sizeof(struct point)"), &["malloc: array of struct point, sizeof"]);
                check(&of("n * sizeof(struct point)"), &["malloc: array of struct point, sizeof"]);
            }
        }
    }
    check_file(
        "static size_t align(size_t n, size_t unit) { size_t mask = unit - 1; return (n + mask) & ~mask; }
         void *f(size_t n) { int *p = malloc(align(n, sizeof(void *))); return malloc(align(sizeof(struct point), sizeof(void *))); }",
        &["malloc: array of int32, receiver", "malloc: array of struct point, sizeof"],
    );
    // What a function without a body, or a function pointer, makes of one size is that size rounded.
    check_file(
        "size_t round_up(size_t); size_t (*good_size)(size_t);
         void f(size_t n) {
             void *p = malloc(round_up(sizeof(struct header) + n * sizeof(int)));
             void *q = malloc(good_size(sizeof(struct header) + n * sizeof(int)));
         }",
        &["malloc: struct header then int32, sizeof", "malloc: struct header then int32, sizeof"],
    );
}

#[test]
fn branches_that_disagree() {
    check(
        "void *p = malloc(c ? sizeof(struct point) : sizeof(struct node));",
        &["malloc: array of struct point | array of struct node, sizeof"],
    );
    check(
        "size_t k; if (c) k = sizeof(struct point); else k = sizeof(struct node); void *p = malloc(k);",
        &["malloc: array of struct point | array of struct node, sizeof"],
    );
    check(
        "size_t k = 0; switch (c) { case 1: k = sizeof(int); break; case 2: k = sizeof(long); break; default: k = sizeof(double); }
         void *p = malloc(k);",
        &["malloc: array of int32 | array of int64 | array of float64, sizeof"],
    );
    check(
        "size_t k; switch (c) { case 1: k = sizeof(int); break; case 2: k = sizeof(long); break; case 3: k = sizeof(short); break;
         case 4: k = sizeof(float); break; default: k = sizeof(double); } void *p = malloc(k);",
        &["malloc: unknown, none"],
    );
    check("void *p = malloc(c ? n : n * sizeof(int));", &["malloc: unknown, none"]);
    check("int *p = malloc(c ? n : n * sizeof(int));", &["malloc: array of int32, both"]);
    check(
        "void *p = malloc(c ? sizeof(struct header) : sizeof(struct header) + n * sizeof(int));",
        &["malloc: struct header then int32, sizeof"],
    );
    check(
        "struct point *p; if (c) p = malloc(sizeof *p); else p = calloc(n, sizeof *p);",
        &["malloc: array of struct point, both", "calloc: array of struct point, both"],
    );
}

#[test]
fn the_receiving_pointer() {
    check("int *p = malloc(n);", &["malloc: array of int32, receiver"]);
    check("int *p; p = malloc(n);", &["malloc: array of int32, receiver"]);
    check("struct point *p = malloc(64);", &["malloc: array of struct point, receiver"]);
    check("char *p = malloc(n + 1);", &["malloc: array of char, receiver, buffer"]);
    check("unsigned char *p = malloc(n);", &["malloc: array of uchar, receiver, buffer"]);
    check("void *p = (struct point *)malloc(n);", &["malloc: array of struct point, receiver"]);
    check("void *p = malloc(n);", &["malloc: unknown, none"]);
    check("struct incomplete *p = malloc(n);", &["malloc: unknown, none"]);
    check("void (*p)(void) = malloc(n);", &["malloc: unknown, none"]);
    check("malloc(n);", &["malloc: unknown, none"]);
    check("struct node q; q.next = malloc(n);", &["malloc: array of struct node, receiver"]);
    check("struct node *q; q->next->next = malloc(n);", &["malloc: array of struct node, receiver"]);
    check("struct node **q; q[3] = malloc(n);", &["malloc: array of struct node, receiver"]);
    check("int *p; if ((p = malloc(n)) == 0) return;", &["malloc: array of int32, receiver"]);
    check("int *p; while (!(p = (malloc)(n))) ;", &["malloc: array of int32, receiver"]);
    check("int *p = c ? malloc(n) : 0;", &["malloc: array of int32, receiver"]);
    check("int *p = (c++, malloc(n));", &["malloc: array of int32, receiver"]);
    check("int *p = ({ void *q = malloc(n); q; });", &["malloc: array of int32, receiver"]);
    check("void *v = malloc(n); int *p = v;", &["malloc: array of int32, receiver"]);
    check(
        "void *v; v = malloc(n); if (!v) return; struct point *p = (struct point *)v;",
        &["malloc: array of struct point, receiver"],
    );
    check(
        "void *v = c ? malloc(n) : calloc(1, n); int *p = v;",
        &["malloc: array of int32, receiver", "calloc: array of int32, receiver"],
    );
    check(
        "char *b = malloc(n); struct header *h = (struct header *)b;",
        &["malloc: array of struct header, receiver"],
    );
    check("char *b = malloc(n); int *h = (int *)(b + 16);", &["malloc: unknown, none"]);
    check("void use(struct point *); use(malloc(n));", &["malloc: array of struct point, receiver"]);
    check("void *v = malloc(n); strcpy(v, s);", &["malloc: array of char, receiver, buffer"]);
    check("struct node v = { .next = malloc(n) };", &["malloc: array of struct node, receiver"]);
    check("struct node v = { malloc(n), { 1, 2 } };", &["malloc: array of struct node, receiver"]);
    check("int *v[] = { malloc(n), 0 };", &["malloc: array of int32, receiver"]);
    check("__auto_type v = (int *)malloc(n);", &["malloc: array of int32, receiver"]);
    check("int *p; *(void **)&p = malloc(n);", &["malloc: array of int32, receiver"]);
    check("*(int **)s = malloc(n);", &["malloc: array of int32, receiver"]);
    check_file(
        "struct point *make(size_t n) { return malloc(n); }",
        &["malloc: array of struct point, receiver, for the caller"],
    );
    check_file("void *make(size_t n) { return malloc(n); }", &["malloc: unknown, none, for the caller"]);
    check_file(
        "int *g; void f(size_t n) { void g2(int *h); g = malloc(n); }",
        &["malloc: array of int32, receiver"],
    );
    check_file(
        "struct late *p; void f(size_t n) { p = malloc(n); } struct late { int x; };",
        &["malloc: array of struct late, receiver"],
    );
}

#[test]
fn sizeof_against_receiver() {
    check("struct header *p = malloc(sizeof(struct node));", &["malloc: array of struct node, sizeof"]);
    check("struct point *p = malloc(n * sizeof(int));", &["malloc: array of struct point, receiver"]);
    check("double *p = malloc(n * sizeof(int));", &["malloc: array of int32, sizeof"]);
    check("float *p = malloc(n * sizeof(int));", &["malloc: array of float32, receiver"]);
    check("unsigned *p = malloc(n * sizeof(int));", &["malloc: array of uint32, receiver"]);
    check("struct point **p = malloc(n * sizeof(void *));", &["malloc: array of struct point*, receiver"]);
    check("struct point **p = malloc(n * sizeof *p);", &["malloc: array of struct point*, both"]);
    check("struct point *p = malloc(n * sizeof(p));", &["malloc: array of struct point, receiver"]);
    check("char *p = malloc(n * sizeof(int));", &["malloc: array of int32, sizeof"]);
    check("char *p = malloc(n * sizeof(char));", &["malloc: array of char, both, buffer"]);
    check("void *p = malloc(n * sizeof(unsigned char));", &["malloc: array of uchar, sizeof, buffer"]);
    check("struct point *p = malloc(n * sizeof(char));", &["malloc: array of struct point, receiver"]);
}

#[test]
fn the_family() {
    check("void *p = calloc(n, sizeof(struct point));", &["calloc: array of struct point, sizeof"]);
    check("void *p = calloc(sizeof(struct point), n);", &["calloc: array of struct point, sizeof"]);
    check("int *p = calloc(n, 4);", &["calloc: array of int32, receiver"]);
    check("void *p = memalign(64, n * sizeof(int));", &["memalign: array of int32, sizeof"]);
    check(
        "void *p = aligned_alloc(sizeof(void *), n * sizeof(int));",
        &["aligned_alloc: array of int32, sizeof"],
    );
    check(
        "void *p = valloc(sizeof(int)), *q = pvalloc(sizeof(long));",
        &["valloc: array of int32, sizeof", "pvalloc: array of int64, sizeof"],
    );
    check(
        "struct point *p; posix_memalign((void **)&p, 64, n);",
        &["posix_memalign: array of struct point, receiver"],
    );
    check(
        "void *v; if (posix_memalign(&v, 64, n * sizeof(int))) return;",
        &["posix_memalign: array of int32, sizeof"],
    );
    check(
        "void *v; posix_memalign(&v, 64, n); struct point *p = v;",
        &["posix_memalign: array of struct point, receiver"],
    );
    check(
        "struct node q; posix_memalign((void **)&q.next, 64, n);",
        &["posix_memalign: array of struct node, receiver"],
    );
    check_file(
        "int f(struct point **out, size_t n) { return posix_memalign((void **)out, 64, n); }",
        &["posix_memalign: array of struct point, receiver, for the caller"],
    );
    check(
        "struct point *p = alloca(n); int *q = __builtin_alloca(sizeof *q);",
        &["alloca: array of struct point, receiver", "alloca: array of int32, both"],
    );
    check("int *q = __builtin_malloc(sizeof *q * n);", &["malloc: array of int32, both"]);
    check("void *p = strdup(s);", &["strdup: array of char, receiver, buffer"]);
    check("void *p = strndup(s, 4);", &["strndup: array of char, receiver, buffer"]);
    check("char *p; asprintf(&p, \"%d\", c);", &["asprintf: array of char, receiver, buffer"]);
    check(
        "char *p = 0; size_t k = 0; while (getline(&p, &k, 0) > 0) ;",
        &["getline: array of char, receiver, buffer"],
    );
}

#[test]
fn resizing() {
    check(
        "struct point *p = 0; p = realloc(p, n * sizeof *p);",
        &["realloc: array of struct point, both, retypes"],
    );
    check("struct point *p = 0; p = realloc(p, n);", &["realloc: array of struct point, receiver"]);
    check("void *p = realloc(0, n);", &["realloc: unknown, none"]);
    check("char *p = realloc(0, strlen(s) + 1);", &["realloc: array of char, receiver, buffer"]);
    check(
        "struct text *p = 0; p = realloc(p, __builtin_offsetof(struct text, data) + n);",
        &["realloc: flexible struct text, both, retypes"],
    );
    check("int *p = reallocarray(0, n, sizeof(int));", &["reallocarray: array of int32, both, retypes"]);
}

#[test]
fn sizes_of_strings() {
    check("void *p = malloc(strlen(s) + 1);", &["malloc: array of char, sizeof, buffer"]);
    check("char *p = malloc(strlen(s) + 1);", &["malloc: array of char, receiver, buffer"]);
    check("size_t k = strlen(s); void *p = malloc(k + 1);", &["malloc: array of char, sizeof, buffer"]);
    check(
        "int k = snprintf(0, 0, \"x\"); void *p = malloc(k + 1);",
        &["malloc: array of char, sizeof, buffer"],
    );
    check("void *p = malloc(sizeof \"abc\" + n);", &["malloc: array of char, sizeof, buffer"]);
    check("int *w = malloc((strlen(s) + 1) * 4);", &["malloc: array of int32, receiver"]);
}

#[test]
fn sizes_in_variables() {
    check("size_t k = n * sizeof(int); void *p = malloc(k);", &["malloc: array of int32, sizeof"]);
    check("size_t k; k = n; k *= sizeof(int); void *p = malloc(k);", &["malloc: array of int32, sizeof"]);
    check(
        "size_t k = sizeof(struct header); k += n * sizeof(int); void *p = malloc(k);",
        &["malloc: struct header then int32, sizeof"],
    );
    check(
        "size_t k = sizeof(struct header); for (int i = 0; i < c; i++) k += sizeof(int); void *p = malloc(k);",
        &["malloc: struct header then int32, sizeof"],
    );
    check(
        "size_t k = n * sizeof(int); void *p = malloc(k); k = n * sizeof(long); void *q = malloc(k);",
        &["malloc: array of int32, sizeof", "malloc: array of int64, sizeof"],
    );
    check(
        "size_t k = sizeof(int); { size_t k = sizeof(long); void *p = malloc(k); } void *q = malloc(k);",
        &["malloc: array of int64, sizeof", "malloc: array of int32, sizeof"],
    );
    check(
        "size_t k = sizeof(struct header); if (c) k += n * sizeof(int); void *p = malloc(k);",
        &["malloc: struct header then int32, sizeof"],
    );
    check("size_t k = sizeof(int); memcpy(&k, s, 8); void *p = malloc(k);", &["malloc: unknown, none"]);
    check(
        "size_t k; if (__builtin_mul_overflow(n, sizeof(struct point), &k)) return; void *p = malloc(k);",
        &["malloc: array of struct point, sizeof"],
    );
    check(
        "const size_t k = sizeof(struct point); void *p = malloc(__builtin_expect(n * k, 1));",
        &["malloc: array of struct point, sizeof"],
    );
    check(
        "enum { K = sizeof(struct point) }; struct point *p = malloc(n * K);",
        &["malloc: array of struct point, receiver"],
    );
    check(
        "size_t k = sizeof(int); if (c) goto out; k = sizeof(long); out:; void *p = malloc(k);",
        &["malloc: array of int64 | array of int32, sizeof"],
    );
    check("n = n * sizeof(int); void *p = malloc(n);", &["malloc: array of int32, sizeof"]);
    check(
        "size_t k = sizeof(int); while (c--) { void *p = malloc(k); k = sizeof(long); }",
        &["malloc: array of int32 | array of int64, sizeof"],
    );
    check(
        "size_t k = sizeof(long); if (c) { return; k = sizeof(int); } void *p = malloc(k);",
        &["malloc: array of int64, sizeof"],
    );
    check_file(
        "static const size_t unit = sizeof(struct point); void *f(size_t n) { return malloc(n * unit); }",
        &["malloc: array of struct point, sizeof"],
    );
}

#[test]
fn size_helpers() {
    let helpers =
        "static size_t mult(size_t a, size_t b) { if (b && a > -1ul / b) __builtin_abort(); return a * b; }
        static inline size_t add(size_t a, size_t b) { return a + b; }
        static size_t round_up(size_t a) { return (a + 15) & ~15ul; }
        static size_t node_size(void) { return sizeof(struct node); }
        static size_t loop(size_t a) { return loop(a); }
        static size_t guarded(size_t a) { if (a > 99) return 0; return a + 16; }
        static size_t perhaps(int c) { return c ? sizeof(struct header) : 0; }\n";
    let check = |body: &str, expect: &[&str]| {
        check_file(&format!("{helpers} void f(size_t n) {{ void *p = {body}; }}"), expect);
    };
    check("malloc(mult(n, sizeof(struct point)))", &["malloc: array of struct point, sizeof"]);
    check("malloc(mult(sizeof(int), n))", &["malloc: array of int32, sizeof"]);
    check(
        "malloc(add(sizeof(struct header), mult(n, sizeof(int))))",
        &["malloc: struct header then int32, sizeof"],
    );
    check("malloc(add(sizeof(struct text), n))", &["malloc: flexible struct text, sizeof"]);
    check("malloc(round_up(sizeof(struct point)))", &["malloc: array of struct point, sizeof"]);
    check("malloc(n * node_size())", &["malloc: array of struct node, sizeof"]);
    check("malloc(loop(n))", &["malloc: unknown, none"]);
    check(
        "malloc(guarded(sizeof(struct header)) + n * sizeof(int))",
        &["malloc: struct header then uchar, sizeof"],
    );
    check(
        "malloc(perhaps(n) + n * sizeof(int))",
        &["malloc: struct header then int32 | array of int32, sizeof"],
    );
}

#[test]
fn helpers_of_other_files() {
    let helper = "size_t mult(size_t a, size_t b) { return a * b; }";
    let user =
        "size_t mult(size_t, size_t); void *f(size_t n) { return malloc(mult(n, sizeof(struct point))); }";
    assert_eq!(solved(&[helper, user], ""), ["malloc: array of struct point, sizeof"]);
    // Without its body, a helper is taken to multiply.
    assert_eq!(solved(&[user], ""), ["malloc: array of struct point, sizeof"]);
}

#[test]
fn places_of_calls() {
    check_file(
        "void *f(size_t n) { void *g(size_t k) { return malloc(k * sizeof(int)); } return g(n); }",
        &["malloc: array of int32, sizeof"],
    );
    check_file("void f(int *p) { p = p ? p : (p = malloc(sizeof *p)); }", &["malloc: array of int32, both"]);
    check_file(
        "int *f(a, n) char *a; size_t n; { return (int *) malloc(n); }",
        &["malloc: array of int32, receiver"],
    );
    check_file("void f(void *(*malloc)(size_t)) { int *p = malloc(4); }", &[]);
    check_file(
        "struct ops { void *(*malloc)(size_t); }; void f(struct ops *o) { int *p = o->malloc(4); }",
        &[],
    );
}

#[test]
fn functions_declared_by_hand() {
    let source = "void *xmalloc(size_t); void *xcalloc(size_t, size_t);
        void f(size_t n) { int *p = xmalloc(n * sizeof *p); void *q = xcalloc(n, sizeof(struct point)); }";
    assert_eq!(solved(&[source], ""), [] as [&str; 0]);
    assert_eq!(
        solved(&[source], "xmalloc(Z)p xcalloc(zZ)p"),
        ["xmalloc: array of int32, both", "xcalloc: array of struct point, sizeof"]
    );
}

#[test]
fn lines_and_ordinals() {
    let facts = facts(
        "void f(int n) {\n  char *a = (char *)\n    malloc(\n      n);\n  a = malloc(1), a = malloc(2); a = calloc(1, 1);\n  strcpy(\n    malloc(3), a);\n}\n",
        "",
    );
    let lines: Vec<_> = facts
        .calls
        .iter()
        .map(|call| (call.first_line, call.place.line, call.last_line, call.ordinal))
        .collect();
    assert_eq!(lines, [(2, 3, 4, 0), (5, 5, 5, 0), (5, 5, 5, 1), (5, 5, 5, 0), (6, 7, 7, 0)]);
    assert!(facts.calls.iter().all(|call| call.place.file == "case.c"));
    assert_eq!(facts.functions.len(), 1);
    assert_eq!((facts.functions[0].place.line, facts.functions[0].last_line), (1, 8));
}

#[test]
fn places_of_types() {
    let facts = facts(
        "struct\n  tagged\n{ int x; };\ntypedef struct\n{ int y; } named;\nvoid f(void) { malloc(sizeof(struct tagged)); malloc(sizeof(named));\n malloc(sizeof(struct { int z; })); }",
        "",
    );
    let place = |ty: &TypeRef| match ty {
        TypeRef::Tagged { place, .. } | TypeRef::Anonymous { place, .. } => place.line,
        _ => 0,
    };
    let lines: Vec<u32> = facts
        .calls
        .iter()
        .map(|call| match &call.arguments[0] {
            allocscc::sites::facts::SizeExpr::Sizeof(ty) => place(ty),
            _ => 0,
        })
        .collect();
    assert_eq!(lines, [2, 4, 7]);
}
