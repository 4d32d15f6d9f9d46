//! Functions that allocate for their callers: what is found of them, and what their callers then allocate.

use super::{check_file, solved};

const XMALLOC: &str = "void *xmalloc(size_t n) { void *p = malloc(n); if (!p) abort(); return p; }";

/// Sites of a file that has `xmalloc` too; that in it comes first.
fn check_with_xmalloc(source: &str, expect: &[&str]) {
    let sites = solved(&[&format!("void abort(void);\n{XMALLOC}\n{source}")], "");
    assert_eq!(sites[0], "malloc: unknown, none, for the caller");
    assert_eq!(sites[1..], *expect, "{source}");
}

#[test]
fn a_wrapper_and_its_callers() {
    check_with_xmalloc(
        "void f(int n) { struct point *p = xmalloc(n * sizeof *p); int *q = xmalloc(4); xmalloc(n); }",
        &[
            "xmalloc: array of struct point, both",
            "xmalloc: array of int32, receiver",
            "xmalloc: unknown, none",
        ],
    );
}

#[test]
fn wrappers_of_wrappers() {
    check_with_xmalloc(
        "void *zalloc(size_t n, size_t m) { void *p = xmalloc(n * m); return p; }
         struct point *f(void) { return zalloc(3, sizeof(struct point)); }",
        &["xmalloc: unknown, none, for the caller", "zalloc: array of struct point, both"],
    );
}

#[test]
fn a_guard_against_nothing_is_no_size() {
    let source = |inside: &str| {
        format!(
            "void *zalloc(size_t n, size_t size) {{ return {inside}; }}
             void f(size_t n) {{ char *p = zalloc(n * sizeof(struct point *), 1); struct point **q = (struct point **)p;
                 char *text = zalloc(n, 1); void *v = zalloc(n, sizeof(struct node)); zalloc(1, n); }}"
        )
    };
    let expect = [
        "zalloc: array of struct point*, sizeof",
        "zalloc: array of char, receiver, buffer",
        "zalloc: array of struct node, sizeof",
        "zalloc: unknown, none",
    ];
    for inside in [
        "calloc(n ? n : 1, size ? size : 1)",
        "n && size ? calloc(n, size) : calloc(n ? n : 1, size ? size : 1)",
        "calloc(n > 0 ? n : 1, (size != 0) ? size : 1)",
        "calloc(n ?: 1, size ?: 1)",
    ] {
        let found = solved(&[&source(inside)], "");
        let sites: Vec<&String> = found.iter().filter(|site| site.starts_with("zalloc")).collect();
        assert_eq!(sites, expect, "{inside}");
    }
    // Where something else decides, one may be the size of a byte.
    for inside in
        ["calloc(n, is_bytes ? 1 : size)", "calloc(n, is_bytes ? size : 1)", "calloc(n, size > 9 ? size : 1)"]
    {
        let found = solved(&[&format!("extern int is_bytes; {}", source(inside))], "");
        assert_eq!(found[3], "zalloc: unknown, none", "{found:?}");
    }
}

#[test]
fn the_callers_of_a_function_that_knows_its_type_are_no_sites() {
    check_with_xmalloc(
        "struct node *node(void) { struct node *n = xmalloc(sizeof *n); return n; } void f(void) { node(); }",
        &["xmalloc: array of struct node, both"],
    );
    check_with_xmalloc(
        "char *copy(const char *s) { return xmalloc(strlen(s) + 1); } void f(char *s) { s = copy(s); }",
        &["xmalloc: array of char, receiver, buffer"],
    );
}

#[test]
fn in_any_order_and_any_file() {
    let user = "void *xmalloc(size_t); void f(void) { struct point *p = xmalloc(sizeof *p); }";
    let expect = ["xmalloc: array of struct point, both", "malloc: unknown, none, for the caller"];
    assert_eq!(solved(&[user, "void *xmalloc(size_t n) { return malloc(n); }"], ""), expect);
    // A static function is seen in its own file only.
    let expect = ["malloc: unknown, none, for the caller"];
    assert_eq!(solved(&[user, "static void *xmalloc(size_t n) { return malloc(n); }"], ""), expect);
}

#[test]
fn the_old_block_of_a_wrapper_keeps_its_type_unless_a_size_says_otherwise() {
    check_file(
        "void *xrealloc(void *p, size_t n) { p = realloc(p, n); return p; }
         void f(struct point *p, void *q, size_t n) { p = xrealloc(p, n * sizeof *p); q = xrealloc(q, n); }",
        &[
            "realloc: unknown, none, for the caller",
            "xrealloc: array of struct point, both, retypes",
            "xrealloc: unknown, none",
        ],
    );
}

#[test]
fn stored_where_a_parameter_points() {
    check_file(
        "int get(void **out, size_t n) { *out = malloc(n); return *out != 0; }
         void f(void) { struct point *p; void *q; get((void **)&p, 8); get(&q, sizeof(struct node)); }",
        &[
            "malloc: unknown, none, for the caller",
            "get: array of struct point, receiver",
            "get: array of struct node, sizeof",
        ],
    );
}

#[test]
fn through_functions_that_give_back_what_they_get() {
    check_file(
        "void *nonnull(void *p) { if (!p) for (;;); return p; }
         void *xmalloc(size_t n) { return nonnull(malloc(n)); }
         void f(void) { struct point *p = xmalloc(sizeof *p); struct node *q = nonnull(malloc(24)); }",
        &[
            "malloc: unknown, none, for the caller",
            "xmalloc: array of struct point, both",
            "malloc: array of struct node, receiver",
        ],
    );
}

#[test]
fn through_function_pointers_by_field() {
    check_file(
        "struct ops { void *data; void *(*get)(void *, size_t); };
         static void *plain(void *data, size_t n) { return malloc(n); }
         static struct ops ops = { .get = plain };
         static const struct ops others[] = { { 0, plain } };
         void f(struct ops *o) { struct point *p = o->get(o->data, sizeof *p); }",
        &["malloc: unknown, none, for the caller", "*: array of struct point, both"],
    );
    check_file(
        "struct ops { void *(*get)(size_t); };
         void set(struct ops *o, int c) { o->get = c ? malloc : 0; }
         void *get(struct ops *o, size_t n) { return (*o->get)(n); }
         void f(struct ops *o) { struct point *p = get(o, sizeof *p); }",
        &["*: unknown, none, for the caller", "get: array of struct point, both"],
    );
}

#[test]
fn through_function_pointers_in_globals_and_parameters() {
    check_file(
        "void *(*hook)(size_t) = malloc;
         void f(void) { struct point *p = hook(sizeof *p); }",
        &["*: array of struct point, both"],
    );
    check_file(
        "struct state { void *(*get)(void *, size_t); };
         static void *plain(void *data, size_t n) { return malloc(n); }
         void start(struct state *s, void *(*get)(void *, size_t)) { s->get = get; }
         void f(struct state *s) { start(s, plain); struct node *n = s->get(s, sizeof *n); }",
        &["malloc: unknown, none, for the caller", "*: array of struct node, both"],
    );
    // A default for a parameter.
    check_file(
        "struct state { void *(*get)(size_t); };
         static void *headed(size_t n) { struct header *h = malloc(sizeof *h + n); return h + 1; }
         static void *plain(size_t n) { return malloc(n); }
         void start(struct state *s, void *(*get)(size_t)) { if (!get) get = plain; s->get = get; }
         void f(struct state *s) { start(s, headed); struct node *n = s->get(sizeof *n); }",
        &[
            "malloc: struct header then uchar, both, for the caller",
            "malloc: unknown, none, for the caller",
            "*: struct header then struct node | array of struct node, both",
        ],
    );
    check_file("void *(*hook)(size_t); void f(void) { struct point *p = hook(sizeof *p); }", &[]);
}

#[test]
fn through_function_pointers_that_functions_return() {
    let keeper = "typedef void *(*getter)(size_t);
        struct state { getter get; };
        void set(struct state *s) { s->get = malloc; }
        getter current(struct state *s, void **data) { if (data) *data = s; return s->get; }";
    let user = "typedef void *(*getter)(size_t);
        struct state; getter current(struct state *s, void **data);
        static getter now; static getter other(void) { return now; }
        void f(struct state *s) {
            struct point *p = current(s, 0)(sizeof *p);
            now = current(s, 0);
            struct node *n = now(sizeof *n);
            int *k = other()(4);
        }";
    let expect =
        ["*: array of struct point, both", "*: array of struct node, both", "*: array of int32, receiver"];
    assert_eq!(solved(&[keeper, user], ""), expect);
    assert_eq!(solved(&[user], ""), [] as [&str; 0]);
}

#[test]
fn a_header_that_the_wrapper_keeps_in_front() {
    check_file(
        "void *with_size(size_t n) { long *p = malloc(n + 8); if (p) { *p = n; p++; } return p; }
         void f(int k) { struct node *n = with_size(sizeof *n); struct header *h = with_size(sizeof *h + k * sizeof(int)); }",
        &[
            "malloc: array of int64, receiver, for the caller",
            "with_size: int64 then struct node, both",
            "with_size: int64 then struct header then int32, both",
        ],
    );
    check_file(
        "void *with_header(size_t n) { struct header *h = malloc(sizeof *h + n); return h + 1; }
         void f(void) { struct node *n = with_header(3 * sizeof *n); }",
        &[
            "malloc: struct header then uchar, both, for the caller",
            "with_header: struct header then struct node, both",
        ],
    );
}

#[test]
fn a_header_of_a_constant_size() {
    check_file(
        "void *get(size_t n) { char *p = malloc(n + 16); if (!p) return 0; return p + 16; }
         void f(void) { struct node *n = get(sizeof *n); }",
        &["malloc: array of char, receiver, for the caller, buffer", "get: char[16] then struct node, both"],
    );
}

#[test]
fn a_header_behind_wrappers_of_wrappers() {
    check_file(
        "void *with_header(size_t n) { struct header *h = malloc(sizeof *h + n); return h + 1; }
         void *zeroed(size_t n) { void *p = with_header(n); return p; }
         void f(void) { struct node *n = zeroed(sizeof *n); }",
        &[
            "malloc: struct header then uchar, both, for the caller",
            "with_header: struct header then uchar, sizeof, for the caller",
            "zeroed: struct header then struct node, both",
        ],
    );
}

#[test]
fn headers_of_several_wrappers() {
    check_file(
        "void *with_size(size_t n) { long *p = malloc(n + 8); *p = n; return p + 1; }
         void *with_header(size_t n) { struct header *h = with_size(sizeof *h + n); return h + 1; }
         void f(size_t n) { struct node *q = with_header(sizeof *q); void *r = with_header(n); }",
        &[
            "malloc: array of int64, receiver, for the caller",
            "with_size: int64 then struct header then uchar, both, for the caller",
            "with_header: int64 then struct header then struct node, both",
            "with_header: int64 then struct header then uchar, sizeof",
        ],
    );
}

#[test]
fn a_header_before_a_member() {
    check_file(
        "struct block { size_t size; char data[]; };
         void *get(size_t n) { struct block *b = malloc(sizeof *b + n); return b->data; }
         void *also(size_t n) { struct block *b = malloc(sizeof *b + n); return &b->data[0]; }
         void f(size_t k) { struct node *p = get(sizeof *p); struct header *q = also(sizeof *q + k * sizeof(int)); }",
        &[
            "malloc: flexible struct block, both, for the caller",
            "malloc: flexible struct block, both, for the caller",
            "get: struct block then struct node, both",
            "also: struct block then struct header then int32, both",
        ],
    );
    // The member does not lie at the end of the struct.
    check_file(
        "struct block { size_t size; char flag; char data[]; };
         void *get(size_t n) { struct block *b = malloc(sizeof *b + n); return b->data; }
         void f(size_t k) { char *p = get(k); }",
        &[
            "malloc: flexible struct block, both, for the caller",
            "get: struct block up to data then char, receiver",
        ],
    );
    // The first member is the block.
    check_file(
        "union any { struct point p; struct node n; };
         struct point *get(size_t n) { union any *a = malloc(n); return &a->p; }
         void f(void) { struct point *p = get(sizeof(union any)); }",
        &["malloc: array of union any, receiver, for the caller", "get: array of union any, sizeof"],
    );
}

#[test]
fn a_distance_that_the_caller_says() {
    check_file(
        "void *get(size_t n, size_t before) { char *p = malloc(n); return p + before; }
         struct whole { long before; struct point at; };
         void f(size_t n) {
             void *a = get(sizeof(struct point), 0);
             void *b = get(sizeof(struct whole), __builtin_offsetof(struct whole, at));
             struct point *c = get(24, 16), *d = get(n, n);
         }",
        &[
            "malloc: array of char, receiver, for the caller, buffer",
            "get: array of struct point, sizeof",
            "get: array of struct whole, sizeof",
            "get: char[16] then struct point, receiver",
            "get: unknown, none",
        ],
    );
}

#[test]
fn a_pointer_to_some_place_inside_says_nothing_of_the_block() {
    check_file(
        "size_t page, all;
         struct point *behind(void) { void *p = malloc(all); return (struct point *)&((unsigned char *)p)[page]; }
         void f(void) { struct point *p = behind(); }",
        &["malloc: unknown, none"],
    );
    check_file(
        "size_t skip(void);
         void *behind(size_t n) { char *p = malloc(n + 64); return p + skip(); }
         void f(void) { struct point *p = behind(sizeof *p); }",
        &["malloc: array of char, receiver, for the caller, buffer", "behind: unknown, none"],
    );
}

#[test]
fn a_header_that_is_not_always_there() {
    check_file(
        "int debugging;
         void *get(size_t n) {
             if (debugging) { struct header *h = malloc(sizeof *h + n); return h + 1; }
             return malloc(n);
         }
         void *zeroed(size_t n) { void *p = get(n); return p; }
         void f(void) { struct node *n = zeroed(sizeof *n); }",
        &[
            "malloc: struct header then uchar, both, for the caller",
            "malloc: unknown, none, for the caller",
            "get: unknown, none, for the caller",
            "zeroed: struct header then struct node | array of struct node, both",
        ],
    );
}

#[test]
fn types_that_a_wrapper_names_for_other_reasons() {
    for body in [
        "return malloc((n + sizeof(void *) - 1) & ~(sizeof(void *) - 1));",
        "return malloc((n + sizeof(struct point) - 1) / sizeof(struct point) * sizeof(struct point));",
        "if (n < sizeof(struct point)) n = sizeof(struct point); return malloc(n);",
        "return malloc(n > sizeof(void *) ? n : sizeof(void *));",
        "char *p = malloc(n + sizeof(struct header)); return p;",
        "if (n < sizeof(struct point)) n = sizeof(struct point); struct point *first = malloc(n); return first;",
    ] {
        check_file(
            &format!("void *get(size_t n) {{ {body} }} void f(void) {{ struct node *n = get(sizeof *n); }}"),
            &[
                &solved(&[&format!("void *get(size_t n) {{ {body} }}")], "")[0],
                "get: array of struct node, both",
            ],
        );
    }
    // These are of the type that they name.
    check_file(
        "void *points(int n) { return malloc(n * sizeof(struct point)); }
         struct header *header(size_t n) { struct header *h = malloc(sizeof *h + n); return h; }
         void f(void) { void *p = points(3), *q = header(4); }",
        &["malloc: array of struct point, sizeof", "malloc: struct header then uchar, both"],
    );
}

#[test]
fn through_functions_of_the_library_that_give_back_what_they_get() {
    check_with_xmalloc(
        "void *copy(const void *from, size_t n) { return memcpy(xmalloc(n), from, n); }
         void f(struct point *p) { struct point *q = copy(p, sizeof *p); }",
        &["xmalloc: unknown, none, for the caller", "copy: array of struct point, both"],
    );
}

#[test]
fn static_names_and_tags_are_those_of_their_file() {
    let plain = "static void *(*get)(size_t) = malloc; struct ops { void *(*get)(size_t); };
                 static void *apply(void *(*get)(size_t), size_t n) { return get(n); }
                 void f(struct ops *o) {
                     struct point *p = get(sizeof *p), *q = apply(malloc, sizeof *q);
                     o->get = malloc; p = o->get(sizeof *p);
                 }";
    let headed = "static void *mine(size_t n) { struct header *h = malloc(sizeof *h + n); return h + 1; }
                  static void *(*get)(size_t) = mine;
                  struct ops { int kind; void *(*get)(size_t); };
                  static void *apply(void *(*get)(size_t), size_t n) { return get(n); }
                  void g(struct ops *o) {
                      struct node *p = get(sizeof *p), *q = apply(mine, sizeof *q);
                      o->get = mine; p = o->get(sizeof *p);
                  }";
    let sites = solved(&[plain, headed], "");
    let of = |what: &str| sites.iter().filter(|site| site.contains(what)).count();
    assert_eq!(of("array of struct point, both"), 3, "{sites:#?}");
    assert_eq!(of("struct header then struct node, both"), 3, "{sites:#?}");
}

#[test]
fn what_recursion_and_cycles_say() {
    check_file(
        "void *b(size_t n); void *a(size_t n) { return n > 9 ? b(n - 1) : malloc(n); }
         void *b(size_t n) { return a(n); }
         void f(void) { struct point *p = b(sizeof *p); }",
        &[
            "b: unknown, none, for the caller",
            "malloc: unknown, none, for the caller",
            "a: unknown, none, for the caller",
            "b: array of struct point, both",
        ],
    );
}

#[test]
fn declared_by_hand() {
    assert_eq!(
        solved(
            &["void *get(int kind, size_t n); void f(void) { struct point *p = get(1, sizeof *p); }"],
            "get(iZ)p"
        ),
        ["get: array of struct point, both"]
    );
    assert_eq!(
        solved(&["void *get(int kind) { return malloc(kind == 1 ? 8 : 16); }"], "get(i)p"),
        ["malloc: unknown, none, for the caller"]
    );
}

#[test]
fn through_function_pointers_in_local_variables() {
    check_with_xmalloc(
        "void f(int c, size_t n) {
             void *(*get)(size_t) = c ? xmalloc : malloc; struct point *p = get(n * sizeof *p);
             void *(*later)(size_t); later = xmalloc; struct node *q = (*later)(sizeof *q);
             void *(*again)(size_t) = get; struct text *t = again(sizeof *t + n);
             struct node *r = (c ? malloc : xmalloc)(sizeof *r); }
         void g(int n) { void *(*get)(size_t) = 0; struct point *p = get(n * sizeof *p); }
         static void h(void *(*get)(size_t)) { if (!get) get = malloc; struct point *p = get(sizeof *p); }",
        &[
            "*: array of struct point, both",
            "*: array of struct node, both",
            "*: flexible struct text, both",
            "*: array of struct node, both",
            "*: array of struct point, both",
        ],
    );
}

#[test]
fn through_function_pointers_in_arrays() {
    check_with_xmalloc(
        "static void *(*const table[])(size_t) = { malloc, xmalloc };
         void *(*shared[2])(size_t);
         static void *through(void *(*const *get)(size_t), size_t n) { return get[1](n); }
         void set(void) { shared[0] = xmalloc; }
         void f(int i, size_t n) {
             static void *(*const own[])(size_t) = { [1] = xmalloc }; void *(*local[1])(size_t) = { malloc };
             void *(*const *pointer)(size_t) = table;
             struct point *p = table[i](sizeof *p); struct node *q = (*own[i])(sizeof *q);
             struct text *t = local[0](n + sizeof *t); int *r = shared[i](n * sizeof *r);
             struct point *s = pointer[1](sizeof *s); struct node *u = through(table, sizeof *u); }",
        &[
            "*: unknown, none, for the caller",
            "*: array of struct point, both",
            "*: array of struct node, both",
            "*: flexible struct text, both",
            "*: array of int32, both",
            "*: array of struct point, both",
            "through: array of struct node, both",
        ],
    );
}

#[test]
fn a_header_that_is_rounded_up() {
    let wrapper = |kind: &str, size: &str| {
        format!(
            "struct mbd {{ {kind} }};
             static void *get(void *old, size_t n) {{
                 struct mbd *b = old ? (struct mbd *)((char *)old - {size}) : 0;
                 n += {size};
                 b = b == 0 ? malloc(n) : realloc(b, n);
                 return (char *)b + {size};
             }}
             void *alloc(int n, int size) {{ return get(0, (size_t)n * (size_t)size); }}
             void f(int n) {{ int *p = alloc(1 + n, sizeof(int)); struct point *q = alloc(1, sizeof *q); }}"
        )
    };
    let callers = |source: &str| {
        let sites = solved(&[source], "");
        sites.into_iter().filter(|site| site.starts_with("alloc: ")).collect::<Vec<_>>()
    };
    for size in [
        "(((sizeof(struct mbd) + (16 - 1)) / 16) * 16)",
        "(((sizeof(struct mbd) + 15) >> 4) << 4)",
        "((sizeof(struct mbd) + 15) & ~15)",
    ] {
        assert_eq!(
            callers(&wrapper("size_t size; struct mbd *self, *prev, *next;", size)),
            [
                "alloc: struct mbd then int32, both, retypes",
                "alloc: struct mbd then struct point, both, retypes"
            ],
            "{size}"
        );
        assert_eq!(
            callers(&wrapper("size_t size; struct mbd *self, *next;", size)),
            [
                "alloc: struct mbd then char[8] then int32, both, retypes",
                "alloc: struct mbd then char[8] then struct point, both, retypes"
            ],
            "{size}"
        );
    }
    for size in ["((sizeof(struct mbd) + 63) / 64 * 64)", "((sizeof(struct mbd) + 63) & ~63)"] {
        assert_eq!(
            callers(&wrapper("size_t size; struct mbd *self, *next;", size)),
            ["alloc: unknown, none, retypes", "alloc: unknown, none, retypes"],
            "{size}"
        );
    }
    // As a size it is the type.
    for size in ["(sizeof(struct header) + 63) / 64 * 64", "(sizeof(struct header) + 31) & ~31"] {
        check_file(
            &format!("void f(void) {{ void *p = malloc({size}); }}"),
            &["malloc: array of struct header, sizeof"],
        );
    }
}

#[test]
fn a_header_without_members() {
    check_file(
        "typedef struct { char data[8]; } Blk;
         struct state { void *(*get)(size_t); };
         static void *new(struct state *s, size_t size) {
             size_t bytes = size + (sizeof(Blk) - 8);
             Blk *b;
             if (s->get) b = s->get(bytes); else b = malloc(bytes);
             return b->data;
         }
         static void *resize(void *old, size_t n) {
             Blk *b = old ? (Blk *)((char *)old - (sizeof(Blk) - 8)) : 0;
             if (n) n += sizeof(Blk) - 8;
             b = realloc(b, n);
             return b->data;
         }
         void f(struct state *s, size_t n) {
             struct node *p = new(s, n * sizeof *p); p = resize(p, n * sizeof *p); void *q = new(s, n);
         }",
        &[
            "malloc: flexible Blk, both, for the caller",
            "realloc: flexible Blk, both, for the caller, retypes",
            "new: array of struct node, both",
            "resize: array of struct node, both, retypes",
            "new: unknown, none",
        ],
    );
}

#[test]
fn rows_of_elements_that_callers_know() {
    check_file(
        "static void *zeroed(size_t n, size_t size, int line) { return calloc(n, size); }
         static void *raw(size_t n, int line) { return malloc(n); }
         void *two(size_t d1, size_t d2, size_t size) {
             char **ref, *mem; size_t i, offset;
             mem = (char *)zeroed(d1 * d2, size, 1);
             ref = (char **)raw(d1 * sizeof(void *), 2);
             for (i = 0, offset = 0; i < d1; i++, offset += d2 * size) ref[i] = mem + offset;
             return ref;
         }
         void ***three(size_t d1, size_t size) {
             char *mem = malloc(d1 * size), ***ref = malloc(d1 * sizeof(void **));
             ref[0][0] = mem;
             return (void ***)ref;
         }",
        &[
            "calloc: unknown, none, for the caller",
            "malloc: unknown, none, for the caller",
            "zeroed: unknown, none, for the caller",
            "raw: array of void*, sizeof",
            "malloc: unknown, none",
            "malloc: array of void**, sizeof",
        ],
    );
    // Nobody else says what these hold.
    check_file(
        "char *image(size_t w, size_t h) { char *p = malloc(w * h); return p; }
         void *text(size_t n) { char *p = malloc(n * 2), **q = malloc(n * sizeof(char *)); *q = p; return q; }",
        &[
            "malloc: array of char, receiver, buffer",
            "malloc: array of char, receiver, buffer",
            "malloc: array of char*, both",
        ],
    );
}

#[test]
fn words_that_a_slab_is_counted_in() {
    for (size, expect) in [
        (
            "n * sizeof(int *) + __builtin_offsetof(struct slab, first)",
            "malloc: struct slab then uchar, both",
        ),
        (
            "__builtin_offsetof(struct row, cells) + n * sizeof(int)",
            "malloc: struct row up to cells then int32, both",
        ),
    ] {
        let holder = if size.contains("slab") { "slab" } else { "row" };
        check_file(
            &format!(
                "struct slab {{ struct slab *next; struct point first; }}; struct row {{ long n; char cells[]; }};
                 struct {holder} *get(size_t n) {{ struct {holder} *s = malloc({size}); return s; }}"
            ),
            &[expect],
        );
    }
}
