//! Blocks that a pointer to characters points to for arithmetic alone: they hold something else.

use super::{check_file, solved};

const UNKNOWN: &str = "malloc: unknown, none";
const BYTES: &str = "malloc: array of uchar, receiver, buffer";

fn check(body: &str, expect: &str) {
    let source = format!(
        "typedef long long vector __attribute__((vector_size(16))); typedef unsigned char byte;
         struct arena {{ char *memory; byte *bytes; }}; void take(struct point *); void scan(const unsigned *);
         void f(struct arena *a, size_t n) {{ {body} }}"
    );
    assert_eq!(solved(&[&source], ""), [expect], "{body}");
}

#[test]
fn memory_that_is_aligned_by_hand() {
    for body in [
        "byte *m = malloc(n); vector *v = (vector *)(((size_t)m + 15) >> 4 << 4); v[n] = v[0];",
        "byte *m = malloc(n); double *d = (double *)(((size_t)m + 15) & ~(size_t)15); d[n] = 1;",
        "byte *m = malloc(n); size_t at = (size_t)m; at += 16 - at % 16; struct point *p = (struct point *)at;",
        "byte *m = malloc(n); float *x = (float *)(m + 4 * n); x[0] = 1;",
        "byte *m = malloc(n); vector *v = (vector *)m; v[0] = v[1];",
        "byte *m = malloc(n); scan((const unsigned *)(m + n));",
    ] {
        check(body, UNKNOWN);
    }
}

#[test]
fn arenas() {
    for body in [
        "byte *m = malloc(n); struct point *p = (struct point *)(m + n);",
        "byte *m = malloc(n); ((struct point *)(m + n))->x = 1;",
        "byte *m = malloc(n * sizeof(byte)); *(void **)m = 0;",
        "byte *m = malloc(n); while (n--) { byte *next = m + 24; *(byte **)m = next; m = next; }",
        "byte *m = malloc(n); take((void *)(m + n));",
        "a->bytes = (byte *)malloc(n); byte *m = a->bytes; *(void **)m = m + n;",
        "struct arena *other = a; other->memory = malloc(n); char *end = a->memory + n; *(char **)(end - 8) = end;",
    ] {
        check(body, UNKNOWN);
    }
}

#[test]
fn an_arena_that_another_function_carves_up() {
    let caller = "void add(char *memory, size_t n); void f(size_t n) { char *c = malloc(n); add(c, n); }";
    for (callee, expect) in [
        (
            "void add(char *const memory, size_t n) { struct node *p = (struct node *)memory; p->next = 0; }",
            UNKNOWN,
        ),
        (
            "void add(char *m, size_t n) { struct node *p = ((struct node *)({ void *q = (m); q; })); p->next = 0; }",
            UNKNOWN,
        ),
        ("void add(char *memory, size_t n) { memory[n] = 1; }", "malloc: array of char, receiver, buffer"),
        (
            "static void add(char *m, size_t n) { *(void **)m = 0; }",
            "malloc: array of char, receiver, buffer",
        ),
        (
            "void add(char *m, size_t n) { n = *(unsigned *)(m + n); }",
            "malloc: array of char, receiver, buffer",
        ),
    ] {
        assert_eq!(solved(&[caller, callee], ""), [expect], "{callee}");
    }
}

#[test]
fn buffers_whose_words_are_read() {
    for body in [
        "byte *m = malloc(n); n = *(unsigned *)(m + 4);",
        "byte *m = malloc(n); n = *(size_t *)m + ((unsigned short *)m)[1];",
        "byte *m = malloc(n); byte *end = m + n; n = end - m; n = (size_t)m % 16;",
        "byte *m = malloc(n); a->bytes = m; struct point *p = (struct point *)a->memory;",
        "a->bytes = malloc(n); byte **p = &a->bytes;",
    ] {
        check(body, BYTES);
    }
    // A string is one, whatever else is done with it.
    check_file(
        "void f(const char *s) { char *c = strdup(s); struct point *p = (struct point *)c; }",
        &["strdup: array of char, receiver, buffer"],
    );
}

#[test]
fn distances_are_numbers() {
    for size in [
        "end - m",
        "(size_t)end - (size_t)m",
        "((size_t)m & 15)",
        "(size_t)end - (size_t)a->bytes",
        "end - m - 1",
    ] {
        check_file(
            &format!(
                "struct arena {{ char *bytes; }};
                 void f(struct arena *a, size_t n) {{
                     char *m = malloc(n), *end = m + n; size_t more = {size};
                     struct text *t = realloc(0, more + sizeof *t); }}"
            ),
            &["malloc: array of char, receiver, buffer", "realloc: flexible struct text, both, retypes"],
        );
    }
}

/// An image of a file, in which several things lie.
#[test]
fn structs_that_a_buffer_is_seen_as() {
    let point = "malloc: array of struct point, receiver";
    for (body, expect) in [
        ("struct point *p = (struct point *)m; struct node *q = (struct node *)(m + p->x);", UNKNOWN),
        ("struct point *p = (struct point *)m; void **q = (void **)&m[p->x];", UNKNOWN),
        ("struct node *q = (struct node *)(m + n); struct point *p = (struct point *)m;", UNKNOWN),
        ("struct point *p = (struct point *)m;", point),
        ("struct point *p = (struct point *)m, *q = (struct point *)(m + n);", point),
        ("struct point *p = (struct point *)m; n = *(unsigned *)(m + n);", point),
    ] {
        check(&format!("byte *m = malloc(n + 1); {body}"), expect);
    }
    // What the size names it is.
    check(
        "byte *m = malloc(n * sizeof(struct point)); struct point *p = (struct point *)m; struct node *q = (struct node *)(m + n);",
        "malloc: array of struct point, both",
    );
    // A pointer to the struct gets it first.
    check(
        "struct point *p = malloc(n); byte *m = (byte *)p; struct node *q = (struct node *)(m + n);",
        point,
    );
    check("struct point *p = malloc(n); struct node *q = (struct node *)((byte *)p + n);", point);
}

#[test]
fn rows_of_bytes_are_bytes() {
    let rows = "malloc: array of uchar[32], both, buffer";
    for body in [
        "byte (*rows)[32] = malloc(n * sizeof *rows); rows[1][2] = 3;",
        "byte (*rows)[32] = malloc(sizeof *rows); byte *p = (byte *)rows; p[n] = 3;",
    ] {
        check(body, rows);
    }
    check("byte *m = malloc(n); struct point (*p)[4] = (struct point (*)[4])(m + n);", UNKNOWN);
}
