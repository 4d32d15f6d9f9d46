//! Sizes that a member of a struct keeps between two statements.

use super::solved;

fn check(body: &str, expect: &str) {
    let source = format!(
        "struct vector {{ void *data; size_t size; size_t used; union {{ size_t wide; int narrow; }}; }};
         void see(void); extern struct vector shared; extern size_t *at;
         void f(struct vector *v, struct vector *w, size_t n, int c) {{ struct vector own; {body} }}"
    );
    let found = solved(&[&source], "");
    assert_eq!(found.last().map(String::as_str), Some(expect), "{body}");
}

#[test]
fn a_size_that_was_just_stored() {
    let point = "malloc: array of struct point, sizeof";
    for body in [
        "v->size = n * sizeof(struct point); v->data = malloc(v->size);",
        "own.size = n * sizeof(struct point); own.used = 0; own.data = malloc(own.size);",
        "shared.size = sizeof(struct point); shared.size *= n; shared.data = malloc(shared.size);",
        "v->size = sizeof(struct point); if (!(v->data = malloc(n * v->size))) see();",
        "if (c) { v->used = sizeof(struct point); v->data = malloc(n * v->used); }",
    ] {
        check(body, point);
    }
}

#[test]
fn a_size_that_may_have_changed() {
    let stored = "v->size = n * sizeof(struct point);";
    for between in [
        "see();",
        "*at = n;",
        "at[1] = n;",
        "v++;",
        "v = w;",
        "w->size = n;",
        "w->used = n;",
        "v->size = n;",
        "if (c) see();",
        "while (c) c--;",
        "own = *w;",
        "again:;",
        "shared.used = n;",
    ] {
        check(&format!("{stored} {between} v->data = malloc(v->size);"), "malloc: unknown, none");
    }
    check(
        "v->wide = n * sizeof(struct point); v->narrow = 7; v->data = malloc(v->wide);",
        "malloc: unknown, none",
    );
    check("v->size = n * sizeof(struct point); v->data = malloc(w->size);", "malloc: unknown, none");
    check(
        "do { if (c) break; v->size = n * sizeof(struct point); } while (0); v->data = malloc(v->size);",
        "malloc: unknown, none",
    );
    check("if (c) v->size = n * sizeof(struct point); v->data = malloc(v->size);", "malloc: unknown, none");
}
