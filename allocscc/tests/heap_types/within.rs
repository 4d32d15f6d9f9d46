//! Blocks that a function keeps in what it gives, and whose elements are its callers' to say: the rows of a table.

use super::solved;

/// A table of rows in one block, as a function with this body makes it, and what callers say of it.
fn check(function: &str, uses: &str, expect: &[&str]) {
    let source = format!("void abort(void); {function} void f(size_t n, size_t m) {{ {uses} }}");
    assert_eq!(solved(&[&source], ""), expect, "{function} {uses}");
}

const TABLE: &str = "void *calloc_2d(size_t rows, size_t columns, size_t size) {
    char **table, *row; size_t i;
    row = (char *)calloc(rows * columns, size);
    table = malloc(rows * sizeof(void *));
    for (i = 0; i < rows; i++) table[i] = row + i * columns * size;
    return table; }";
const ROWS: &str = "calloc: unknown, none, for the caller";
const POINTERS: &str = "malloc: array of void*, sizeof";

#[test]
fn a_table_of_rows() {
    check(
        TABLE,
        "struct point **p = (struct point **)calloc_2d(n, m, sizeof(struct point));
         char ***slip = calloc_2d(n, m, sizeof(*slip));
         void *q = calloc_2d(n, m, sizeof(double)); char **text = calloc_2d(n, m, 1); void *r = calloc_2d(1, 2, n);",
        &[
            ROWS,
            POINTERS,
            "calloc_2d: array of struct point, sizeof",
            "calloc_2d: unknown, none",
            "calloc_2d: array of float64, sizeof",
            "calloc_2d: unknown, none",
            "calloc_2d: unknown, none",
        ],
    );
}

#[test]
fn two_blocks_of_elements() {
    check(
        "struct map { char *keys, *values; };
         void *map(size_t n, size_t key, size_t value) { struct map *m = malloc(sizeof *m);
             m->keys = calloc(n, key); m->values = calloc(n, value); return m; }",
        "void *p = map(n, sizeof(struct point), sizeof(struct node)); p = map(n, sizeof(struct point), m);",
        &[
            "malloc: array of struct map, both",
            "calloc: unknown, none, for the caller",
            "calloc: unknown, none, for the caller",
            "map: array of struct point | array of struct node, sizeof",
            "map: unknown, none",
        ],
    );
}

#[test]
fn what_a_call_gives_itself_is_its_site() {
    check(
        "void *both(size_t n, size_t size, void **rest) { char *kept = calloc(n, size); *rest = kept;
             char *also = calloc(n, size); also[0] = 0; return malloc(n); }",
        "void *p, *q; p = both(n, sizeof(struct point), &q);",
        &[
            "calloc: unknown, none, for the caller",
            "calloc: unknown, none",
            "malloc: unknown, none, for the caller",
            "both: array of struct point, sizeof",
        ],
    );
}

#[test]
fn nothing_says_that_the_size_is_that_of_an_element() {
    let buffer = |size: &str| {
        format!(
            "struct buffer {{ void *data; size_t size; }};
             void *buffer(size_t n, size_t m) {{ struct buffer *b = malloc(sizeof *b); b->data = malloc({size}); return b; }}"
        )
    };
    for size in ["n", "2 * n", "n + m", "n * m + 1", "n > m ? n : m"] {
        check(
            &buffer(size),
            "void *p = buffer(sizeof(struct point), 9);",
            &["malloc: array of struct buffer, both", "malloc: unknown, none"],
        );
    }
    // What keeps it is known.
    check(
        "void *table(size_t n, size_t m) { void **t = malloc(sizeof *t); int *row = malloc(n * m); *t = row; return t; }",
        "void *p = table(n, sizeof(struct point));",
        &["malloc: array of void*, both", "malloc: array of int32, receiver"],
    );
}
