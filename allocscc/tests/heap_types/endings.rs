//! Blocks without a type that end as text does: bytes.

use super::solved;

const BYTES: &str = "uchar, receiver, buffer";

/// What is said of the calls of a function `ended` with this body, in a file that keeps what it gives in pointers to void.
fn check(body: &str, uses: &str, expect: &[&str]) {
    let source = format!(
        "struct keep {{ void *data; void **more; }};
         void *plain(size_t n) {{ void *p = malloc(n); if (!p && !n) p = malloc(1); return p; }}
         void *ended(size_t n, size_t m) {{ void *p; {body} return p; }}
         void *copy(const void *from, size_t n) {{ return memcpy(ended(n, n), from, n); }}
         void f(struct keep *k, size_t n) {{ {uses} }}"
    );
    let found = solved(&[&source], "");
    let outside = |site: &&String| !site.ends_with("for the caller");
    let found: Vec<&String> = found.iter().filter(outside).collect();
    assert_eq!(found, expect, "{body} {uses}");
}

#[test]
fn a_zero_behind_all_that_was_asked_for() {
    let (ended, copy) = (format!("ended: array of {BYTES}"), format!("copy: array of {BYTES}"));
    for body in [
        "p = malloc(n + 1); ((char *)p)[n] = 0;",
        "p = malloc(1 + n); if (p) *((unsigned char *)p + n) = '\\0';",
        "p = plain(n + 1); char *end = (char *)p + n; *end = 0;",
        "p = calloc(n + 1, 1); ((char *)p)[n] = 0;",
    ] {
        check(body, "k->data = ended(n, 1); *k->more = copy(k, n);", &[&ended, &copy]);
    }
    let two = "p = malloc(n + m + 1); ((char *)p)[n + m] = 0;";
    check(two, "k->data = ended(n, 1);", &[&ended]);
}

#[test]
fn what_says_more() {
    check(
        "p = malloc(n + 1); ((char *)p)[n] = 0;",
        "struct point *p = ended(n, 0); void *q = copy(k, n * sizeof(*k)); k->data = q;
         void *r = ended(n, 0); struct node *at = (struct node *)((char *)r + 8); k->data = r;",
        &[
            "ended: array of struct point, receiver",
            "copy: array of struct keep, sizeof",
            "ended: unknown, none",
        ],
    );
}

#[test]
fn a_byte_somewhere_else_is_no_end() {
    for body in [
        "p = malloc(n + 1); ((char *)p)[m] = 0;",
        "p = malloc(n); ((char *)p)[n] = 0;",
        "p = malloc(n + 8); ((char *)p)[n] = 0;",
        "p = malloc(n + 1); ((char *)p)[n] = 1;",
        "p = malloc(n + 1); ((char *)p)[0] = 0;",
        "p = malloc(n + 1); ((int *)p)[n] = 0;",
        "p = malloc(n + 1); *(int *)((char *)p + n) = 0;",
        "p = malloc(n + 1); n = m; ((char *)p)[n] = 0;",
        "if (m) n = 9; p = malloc(n + 1); ((char *)p)[n] = 0;",
    ] {
        check(body, "k->data = ended(n, 1);", &["ended: unknown, none"]);
    }
    // One of two blocks.
    let body = "if (m) { p = malloc(n + 1); ((char *)p)[n] = 0; } else p = malloc(n);";
    check(body, "k->data = ended(n, 1);", &["ended: unknown, none"]);
}
