//! Blocks whose only pointers are pointers to void: bytes, if all that becomes of these says so.

use super::{check_file, solved};

/// A field that gets a block, with what a file does with it.
const OWNER: &str = "
    typedef struct file FILE;
    size_t fread(void *, size_t, size_t, FILE *); size_t fwrite(const void *, size_t, size_t, FILE *);
    long read(int, void *, size_t); void qsort(void *, size_t, size_t, int (*)(const void *, const void *));
    struct owner { void *data; void *other; size_t size; };
    void sum(const unsigned char *bytes, size_t n); void see(const void *anything);
    void start(struct owner *o) { o->data = malloc(o->size); }\n";

const BYTES: &str = "malloc: array of uchar, receiver, buffer";
const CHARACTERS: &str = "malloc: array of char, receiver, buffer";
const UNKNOWN_GET: &str = "get: unknown, none";
const UNKNOWN: &str = "malloc: unknown, none";

fn check(uses: &str, expect: &str) {
    let source = format!("{OWNER} void use(struct owner *o, FILE *f, size_t n) {{ {uses} }}");
    assert_eq!(solved(&[&source], ""), [expect], "{uses}");
}

#[test]
fn bytes() {
    for uses in [
        "fread(o->data, 1, n, f);",
        "fread(o->data, sizeof(char), n, f);",
        "read(0, o->data, n);",
        "void *p = o->data; if (n) fwrite(p, 1, n, f);",
        "sum(o->data, n);",
        "sum((const unsigned char *)o->data, n);",
        "const char *p = o->data; n = *p;",
        "fread((char *)o->data + n, 1, n, f); fread(o->data, 1, n, f); memcpy(o->data, f, n); free(o->data);",
        "fread(o->data, 1, n, f); o->data = realloc(0, 0);",
        // Bytes are read as words.
        "unsigned char *p = o->data; n = *(unsigned *)(p + 4);",
        "fread(o->data, 1, n, f); n = *(size_t *)o->data;",
    ] {
        let resizes = uses.contains("realloc");
        let source = format!("{OWNER} void use(struct owner *o, FILE *f, size_t n) {{ {uses} }}");
        let found = solved(&[&source], "");
        assert_eq!(found[0], BYTES, "{uses}");
        assert_eq!(found.len(), 1 + usize::from(resizes), "{uses}");
    }
}

#[test]
fn nothing_is_said_of_bytes() {
    for uses in [
        "",
        "free(o->data);",
        "memcpy(o->data, f, n);",
        "fread(o->data, n, 1, f);",
        "fread(o->data, 1, n * sizeof(struct point), f);",
        "read(0, o->data, n * sizeof(struct point));",
        "memcpy((char *)o->data + n * o->size, f, o->size);",
        "n = *(size_t *)o->data;",
    ] {
        check(uses, UNKNOWN);
    }
}

#[test]
fn something_else_is_said() {
    for uses in [
        "struct point *p = o->data; p->x = 1;",
        "void *p = o->data; ((struct point *)p)->x = 1;",
        "struct point *p = (struct point *)((char *)o->data + n);",
        "int **p = o->data;",
        "see(o->data);",
        "qsort(o->data, n, 8, 0);",
        "void **p = &o->data;",
        "void *p = o->data, **q = &p;",
        "struct point at; o->data = &at;",
        "struct owner of = { (struct point *)f }; use(&of, f, n);",
        "struct owner of = { .other = o->data }; use(&of, f, n);",
        "o->other = o->data; struct point *p = o->other;",
        "void *v[2]; v[0] = o->data;",
        "void (*call)(void *) = 0; call(o->data);",
        // As a pointer to characters it is only on its way.
        "char *p = o->data; struct point *q = (struct point *)(p + n);",
        "char *p = o->data; struct point *q = (void *)p;",
        "char *p = o->data; o->other = p + n; struct point *q = o->other;",
        "char *p = o->data; see(p);",
        "char *p = o->data; void (*call)(void *) = 0; call(p + n);",
    ] {
        check(&format!("fread(o->data, 1, n, f); {uses}"), UNKNOWN);
    }
    let returned = "void *get(struct owner *o) { return o->data; } void use(struct owner *o, FILE *f) { fread(o->data, 1, 9, f); }";
    assert_eq!(solved(&[&format!("{OWNER} {returned}")], ""), [UNKNOWN]);
    let inside = "void *get(struct owner *o, size_t i) { char *p = o->data; return p + i * o->size; }";
    assert_eq!(solved(&[&format!("{OWNER} {inside}")], ""), [UNKNOWN]);
    // A union may be read as its other members.
    check_file(
        "struct owner { union { void *data; struct point *points; } u; };
         void sum(const char *);
         void f(struct owner *o, size_t n) { o->u.data = malloc(n); sum(o->u.data); }",
        &[UNKNOWN],
    );
}

#[test]
fn through_parameters_and_files() {
    let user = |body: &str| {
        format!("{OWNER} void take(void *, size_t); void use(struct owner *o) {{ take(o->data, 1); }} {body}")
    };
    let takes = |body: &str| format!("typedef unsigned char byte; {body}");
    let cases = [
        ("void take(void *p, size_t n) { byte *b = p; b[n] = 1; }", BYTES),
        ("void take(void *p, size_t n) { byte *b = p; b[n] = 1; n = *(size_t *)p; }", BYTES),
        ("void take(void *p, size_t n) { n = *(size_t *)p; }", UNKNOWN),
        ("void take(void *p, size_t n) { byte *b = p; ((struct point *)p)->x = b[n]; }", UNKNOWN),
        ("void inner(void *p) { char *c = p; } void take(void *p, size_t n) { inner(p); }", BYTES),
        ("static void take(void *p, size_t n) { byte *b = p; }", UNKNOWN),
    ];
    for (body, expect) in cases {
        assert_eq!(solved(&[&user(""), &takes(body)], ""), [expect], "{body}");
    }
    // A static function is that of its own file.
    let own = user(
        "static void inner(void *p) { struct point *q = p; } void take(void *p, size_t n) { inner(p); }",
    );
    assert_eq!(solved(&[&own, "void inner(void *p) { char *c = p; }"], ""), [UNKNOWN]);
}

#[test]
fn blocks_in_other_places() {
    let prelude = "typedef struct file FILE; size_t fread(void *, size_t, size_t, FILE *);";
    for (uses, expect) in [
        ("void *g; void f(size_t n, FILE *s) { g = malloc(n); fread(g, 1, n, s); }", BYTES),
        ("static void *g; void f(size_t n, FILE *s) { g = malloc(n); fread(g, 1, n, s); }", BYTES),
        (
            "void load(void *to, FILE *s) { fread(to, 1, 9, s); } void f(size_t n, FILE *s) { void *p = malloc(n); load(p, s); }",
            BYTES,
        ),
        (
            "void *g, *h; void f(size_t n, FILE *s) { g = h = malloc(n); fread(g, 1, n, s); struct point *p = h; }",
            UNKNOWN,
        ),
        // A number of elements of some size.
        (
            "void *g; size_t one; void f(size_t n, FILE *s) { g = malloc(n * one); fread(g, 1, n, s); }",
            UNKNOWN,
        ),
        ("void *g; void f(size_t n, FILE *s) { g = malloc(n * 4); fread(g, 1, n, s); }", BYTES),
    ] {
        assert_eq!(solved(&[&format!("{prelude} {uses}")], ""), [expect], "{uses}");
    }
}

/// A block that a pointer to void keeps first, and that some line sees as characters.
#[test]
fn characters_for_arithmetic() {
    let prelude = "struct shelf { struct point *items; int *counts; void *any; void **rows; };
        void sum(const char *); void see(void *);
        void use_any(struct shelf *s) { struct point *p = s->any; p->x = 1; }
        void keep(struct shelf *s, void *p) { s->items = p; }
        void mark(void *p) { char *c = p; *c = 1; }";
    let cast = "char *q = (char *)p + off; sum(q);";
    let kept = "char *q = p; sum(q + off);";
    let point = "malloc: array of struct point, receiver";
    for (uses, of_cast, of_kept) in [
        ("s->items = p;", point, point),
        ("s->counts = p;", "malloc: array of int32, receiver", UNKNOWN),
        ("s->rows = p;", "malloc: array of void*, receiver", UNKNOWN),
        ("s->any = p;", UNKNOWN, UNKNOWN),
        ("keep(s, p);", UNKNOWN, UNKNOWN),
        ("mark(p);", BYTES, CHARACTERS),
        ("((char *)p)[off] = 0;", CHARACTERS, CHARACTERS),
        ("*(char *)p = 0; keep(s, p);", UNKNOWN, UNKNOWN),
        ("s->rows[off] = p;", UNKNOWN, CHARACTERS),
        ("see(p);", UNKNOWN, CHARACTERS),
    ] {
        for (sight, expect) in [(cast, of_cast), (kept, of_kept)] {
            let source = format!(
                "{prelude} void f(struct shelf *s, size_t n, size_t off) {{ void *p = malloc(n); {sight} {uses} }}"
            );
            assert_eq!(solved(&[&source], ""), [expect], "{sight} {uses}");
        }
    }
}

#[test]
fn out_of_sight() {
    let prelude = "typedef struct file FILE; size_t fread(void *, size_t, size_t, FILE *);
        struct request { void *data; }; void send_it(struct request *);
        void load(void *to, FILE *s) { fread(to, 1, 9, s); }";
    for (uses, expect) in [
        ("", BYTES),
        ("void *v[2]; v[0] = p;", UNKNOWN),
        ("struct { void *data; } o; o.data = p;", UNKNOWN),
        ("struct request r = { p }; send_it(&r);", UNKNOWN),
        ("void (*call)(void *) = 0; call(p);", UNKNOWN),
        ("void **q = &p;", UNKNOWN),
    ] {
        let source =
            format!("{prelude} void f(size_t n, FILE *s) {{ void *p = malloc(n); load(p, s); {uses} }}");
        assert_eq!(solved(&[&source], ""), [expect], "{uses}");
    }
}

/// Bytes that somebody reads as numbers, wherever these lie, and arrays of numbers.
#[test]
fn numbers_that_parameters_are_read_as() {
    let prelude = "typedef struct { unsigned v; } __attribute__((packed)) anywhere; typedef union { unsigned v; } __attribute__((packed)) any_of;
        typedef struct { unsigned v; } aligned; typedef struct { unsigned v, w; } __attribute__((packed)) two;";
    for (take, expect) in [
        ("n = *(unsigned *)p;", BYTES),
        ("n = ((anywhere *)p)->v;", BYTES),
        ("((any_of *)p)->v = n;", BYTES),
        ("n = ((aligned *)p)->v;", UNKNOWN),
        ("n = ((two *)p)->v;", UNKNOWN),
        ("anywhere *a = p; n = a->v;", UNKNOWN),
        // Words are how bytes are read for speed, but nobody reads `double`s so.
        ("const size_t *w = p; while (!*w) w++;", BYTES),
        ("double *d = p; d[n] = 1;", UNKNOWN),
        ("((double *)p)[n] = 1;", UNKNOWN),
        ("n = ((int *)p)[n];", UNKNOWN),
        ("*((double *)p + n) = 1;", UNKNOWN),
    ] {
        let source = format!(
            "{OWNER} {prelude} static void take(void *p, size_t n) {{ {take} }}
             void use(struct owner *o, FILE *f, size_t n) {{ fread(o->data, 1, n, f); take(o->data, n); }}"
        );
        assert_eq!(solved(&[&source], ""), [expect], "{take}");
    }
}

/// A pointer that is passed to what a function pointer points to, of which all or not all is known.
#[test]
fn through_function_pointers() {
    let work = "typedef void worker(void *, size_t); struct job { worker *work; };
        void bytes(void *p, size_t n) { char *c = p; c[n] = 0; } void more(void *p, size_t n) { bytes(p, n); }
        void points(void *p, size_t n) { struct point *at = p; at[n].x = 0; } worker other; void change(worker **);";
    for (uses, expect) in [
        ("j->work = bytes;", BYTES),
        ("j->work = n ? bytes : more;", BYTES),
        ("j->work = n ? bytes : points;", UNKNOWN),
        ("j->work = n ? bytes : other;", UNKNOWN),
        ("j->work = bytes; change(&j->work);", UNKNOWN),
        ("", UNKNOWN),
    ] {
        let source = format!(
            "{OWNER} {work} void start_work(struct job *j, size_t n) {{ {uses} }}
             void use(struct owner *o, struct job *j, size_t n) {{ sum(o->data, n); j->work((char *)o->data + n, n); }}"
        );
        assert_eq!(solved(&[&source], ""), [expect], "{uses}");
    }
}

/// What a wrapper keeps in front of the bytes is not in their way.
#[test]
fn behind_a_header() {
    let wrapper = "void *get(size_t n) { long *p = malloc(n + 8); *p = n; return p + 1; }
        void start_with_header(struct owner *o) { o->other = get(o->size); }";
    for (uses, expect) in [
        ("fread(o->other, 1, n, f);", "get: int64 then uchar, receiver"),
        ("fread(o->other, 1, n, f); struct point *p = o->other;", UNKNOWN_GET),
        ("", UNKNOWN_GET),
    ] {
        let source = format!("{OWNER} {wrapper} void use(struct owner *o, FILE *f, size_t n) {{ {uses} }}");
        assert_eq!(solved(&[&source], "").last().map(String::as_str), Some(expect), "{uses}");
    }
}

#[test]
fn arrays_of_numbers() {
    for (uses, expect) in [
        ("((int *)o->data)[n] = 1;", "array of int32"),
        ("for (n = 0; n < 9; n++) ((int *)o->data)[n] = 1;", "array of int32"),
        ("fread(o->data, 1, n, f); ((int *)o->data)[n] = 1;", "array of uchar | array of int32"),
        ("n = ((short *)o->data)[n] + ((int *)o->data)[n];", "array of int16 | array of int32"),
        ("n = ((char *)o->data)[n] + ((int *)o->data)[n];", "array of uchar | array of int32"),
        (
            "sum(o->data, n); ((int *)o->data)[n] = 1; int *p = (int *)f; o->data = p;",
            "array of uchar | array of int32",
        ),
    ] {
        check(uses, &format!("malloc: {expect}, receiver"));
    }
    for uses in [
        // It starts with a number of another type.
        "*(long *)o->data = 1; ((int *)o->data)[n] = 1;",
        "((int *)o->data)[n] = 1; struct point *p = o->data;",
        "((int *)o->data)[n] = 1; see(o->data);",
        "((int *)o->data)[n] = 1; long *p = (long *)f; o->data = p;",
        "sum(o->data, n); int *p = (int *)f; o->data = p;",
        "((int *)o->data)[0] = 1;",
        "((int *)((char *)o->data + 8))[n] = 1;",
        "n = ((char *)o->data)[n];",
        "int *p = o->data; p[n] = 1;",
    ] {
        check(uses, UNKNOWN);
    }
    // A function that gets it may look at anything like that.
    let hash = "static int hash(const void *p, size_t n) { return ((const int *)p)[n]; }
        void use(struct owner *o, FILE *f, size_t n) { sum(o->data, n); hash(o->data, n); }";
    assert_eq!(solved(&[&format!("{OWNER} {hash}")], ""), [UNKNOWN]);
}
