//! Sizes of blocks that hold things of several types: what is said of them is so for every byte.

use super::check;

#[test]
fn room_for_numbers_in_words() {
    for size in
        ["7 + 3 * sizeof(int)", "sizeof(long) * 8 + 1", "2 * sizeof(void *) + 3", "3 * sizeof(int) + n"]
    {
        check(&format!("char *p = malloc({size});"), &["malloc: array of char, receiver, buffer"]);
    }
    check("char *p = malloc(3 * sizeof(int));", &["malloc: array of int32, sizeof"]);
    check("int *p = malloc(3 * sizeof(int) + 4);", &["malloc: array of int32, both"]);
    check("char *p = malloc(n * sizeof(int) + 1);", &["malloc: unknown, none"]);
    check("char *p = malloc(n * sizeof(char) + 1);", &["malloc: array of char, both, buffer"]);
}

#[test]
fn an_array_and_bytes_behind_it() {
    let three = "3 * sizeof(struct point)";
    check(&format!("struct point *p = malloc({three} + n);"), &["malloc: struct point[3] then uchar, both"]);
    check(&format!("void *p = malloc({three} + n);"), &["malloc: struct point[3] then uchar, sizeof"]);
    check(
        &format!("struct point *p = malloc({three} + strlen(s) + 1);"),
        &["malloc: struct point[3] then char, both"],
    );
    // There may be no bytes.
    check(
        &format!("struct point *p = malloc({three} + (c ? n : 0));"),
        &["malloc: struct point[3] then uchar, both"],
    );
    // Slack for alignment.
    for slack in ["15", "64", "63", "4096", "sizeof(struct point)"] {
        check(
            &format!("struct point *p = malloc({three} + {slack});"),
            &["malloc: array of struct point, both"],
        );
    }
    for size in ["n * sizeof(struct point) + m", "n * sizeof(struct point) + 100"] {
        check(&format!("void *p = malloc({size});"), &["malloc: unknown, none"]);
        check(&format!("struct point *p = malloc({size});"), &["malloc: struct point then uchar, both"]);
    }
    for receiver in ["void", "struct point"] {
        check(&format!("{receiver} *p = malloc(m + sizeof(int) * n);"), &["malloc: unknown, none"]);
    }
    check(
        "size_t k = 0; while (c--) k += 3 * sizeof(struct point); struct point *p = malloc(k + n);",
        &["malloc: unknown, none"],
    );
}

#[test]
fn two_arrays() {
    let size = "n * sizeof(struct point *) + m * sizeof(struct point)";
    check(&format!("struct point **p = malloc({size});"), &["malloc: struct point* then uchar, both"]);
    check(&format!("struct point *p = malloc({size});"), &["malloc: struct point then uchar, both"]);
    check(&format!("long *p = malloc({size});"), &["malloc: unknown, none"]);
    check(&format!("void *p = malloc({size} + c * sizeof(int));"), &["malloc: unknown, none"]);
    // Where the second begins is known.
    let size = "2 * sizeof(struct point) + n * sizeof(long)";
    check(&format!("struct point *p = malloc({size});"), &["malloc: struct point[2] then int64, both"]);
    check(&format!("long *p = malloc({size});"), &["malloc: int64 then uchar, both"]);
    check(&format!("void *p = malloc({size});"), &["malloc: unknown, none"]);
}

/// What bison puts between the stacks of its parsers.
#[test]
fn gaps_that_align_the_next_array() {
    for gap in ["2 * (sizeof(union any) - 1)", "sizeof(union any) - 1", "3 * (sizeof(union any) - 1)"] {
        let declared = "union any { short s; struct point p; };";
        let arrays = "n * (sizeof(short) + sizeof(struct point) + sizeof(long))";
        check(&format!("{declared} union any *p = malloc({arrays} + {gap});"), &["malloc: unknown, none"]);
        check(
            &format!("{declared} struct point *p = malloc(n * sizeof(struct point) + {gap});"),
            &["malloc: array of struct point, both"],
        );
        check(
            &format!("{declared} short *p = malloc({arrays} + {gap});"),
            &["malloc: int16 then uchar, both"],
        );
    }
    // A last member of another length is none.
    check(
        "struct open { int n; char text[1]; }; void *p = malloc(sizeof(struct open) - 1 + n);",
        &["malloc: flexible struct open, sizeof"],
    );
    check(
        "struct open { int n; char text[1]; }; void *p = malloc(sizeof(struct open) - 1 + n * sizeof(char));",
        &["malloc: flexible struct open, sizeof"],
    );
}

#[test]
fn many_arrays() {
    // Too much to keep as it is.
    let part = |(index, ty): (usize, &str)| {
        let condition = if index % 2 == 0 { format!("if (h->kind == {index}) ") } else { String::new() };
        format!("{condition}k += (h->size * {} * sizeof({ty}) + 63) & ~63; ", index + 1)
    };
    let types = ["float", "short", "char", "float", "short", "char"];
    let sum: String = types.into_iter().enumerate().map(part).collect();
    for receiver in ["void", "unsigned char"] {
        let source = format!("struct header *h; size_t k = 0; {sum} {receiver} *p = malloc(k);");
        check(&source, &["malloc: unknown, none"]);
    }
}

#[test]
fn sizes_that_are_rounded_up() {
    for round in ["(SIZE + 7) / 8 * 8", "((SIZE + 7) >> 3) << 3", "8 * ((SIZE + 7) / 8)"] {
        let of = |size: &str| format!("void *p = malloc({});", round.replace("SIZE", size));
        check(&of("(sizeof(struct point))"), &["malloc: array of struct point, sizeof"]);
        check(&of("(sizeof(struct header) + n)"), &["malloc: struct header then uchar, sizeof"]);
        check(&of("n * sizeof(int)"), &["malloc: array of int32, sizeof"]);
    }
}

#[test]
fn pools_of_slots() {
    for size in ["n * m", "(c ? n : 0) * (size_t)m", "n * m + 8"] {
        check(
            &format!("void *v; v = malloc({size}); struct node *p = (struct node *)v;"),
            &["malloc: unknown, none"],
        );
        check(
            &format!("void *v = malloc({size}); if (!v) return; struct node *p; p = v;"),
            &["malloc: unknown, none"],
        );
        // The pointer that gets it says what it is.
        check(&format!("struct node *p = malloc({size});"), &["malloc: array of struct node, receiver"]);
        check(
            &format!("void *v = (struct node *)malloc({size});"),
            &["malloc: array of struct node, receiver"],
        );
    }
    check("void *v = calloc(n, m); struct node *p = v;", &["calloc: unknown, none"]);
    check("void *v = calloc(1, m); struct node *p = v;", &["calloc: array of struct node, receiver"]);
    check("void *v = malloc(n * 24); struct node *p = v;", &["malloc: array of struct node, receiver"]);
    check(
        "void *v = malloc(n * sizeof(int)); struct node *p = v;",
        &["malloc: array of struct node, receiver"],
    );
}

#[test]
fn things_that_are_laid_out_by_hand() {
    for size in [
        "sizeof(struct header) + sizeof(struct point) + n * sizeof(int)",
        "sizeof(struct header) + n * sizeof(int) + m * sizeof(struct point)",
        "sizeof(struct header) + n * sizeof(int) + __builtin_offsetof(struct text, data) + m",
    ] {
        check(&format!("void *p = malloc({size});"), &["malloc: unknown, none"]);
        check(&format!("struct outer *p = malloc({size});"), &["malloc: unknown, none"]);
    }
    check(
        "size_t k = sizeof(struct header) + n; if (c) k += m * sizeof(struct point) + c * sizeof(long); void *p = malloc(k);",
        &["malloc: unknown, none"],
    );
}

/// `sizeof (p)` in place of `sizeof (*p)`.
#[test]
fn sizes_of_the_pointer_in_place_of_the_pointee() {
    check("unsigned *p = (unsigned *)calloc(n + 1, sizeof(p));", &["calloc: array of uint32, receiver"]);
    check("int *p = 0; p = realloc(p, sizeof(char *) * n);", &["realloc: array of int32, receiver"]);
    check("enum colour *p = malloc(n * sizeof(p));", &["malloc: array of enum colour, receiver"]);
    check("int (*p)[4] = malloc(n * sizeof(p));", &["malloc: array of int32[4], receiver"]);
    check(
        "char *p = 0; p = realloc(p, sizeof(char *) * (strlen(s) + 1 + strlen(s)));",
        &["realloc: array of char, receiver, buffer"],
    );
    // It may be a vector of strings that is moved through by bytes.
    check("char *p = malloc(n * sizeof(char *));", &["malloc: unknown, none"]);
    check("unsigned char *p = malloc(64 * sizeof(p));", &["malloc: unknown, none"]);
    // Something else says that pointers are kept.
    for body in [
        "char *p = malloc(n * sizeof(char *)); char **q = (char **)p;",
        "int *p = malloc(n * sizeof(char *)); char **q = (char **)p;",
        "void *v = malloc(n * sizeof(char *)); int *p = v;",
        "void *v = malloc(n * sizeof(char *)); char *p = v; *p = 0;",
    ] {
        check(body, &["malloc: array of char*, sizeof"]);
    }
    check("char *p = malloc(n * sizeof(void *));", &["malloc: array of void*, sizeof"]);
    check("char *(*p)[4] = malloc(n * sizeof(char *));", &["malloc: array of char*, sizeof"]);
}

/// A pointer that a pool is kept by is that of its list of free elements.
#[test]
fn pools_with_a_list_of_free_elements() {
    let list = "struct list { char **free; size_t size; }; struct list *l;";
    check(&format!("{list} char **p = l->free = (char **)calloc(n, l->size);"), &["calloc: unknown, none"]);
    check("void **p = malloc(n * m);", &["malloc: unknown, none"]);
    check("char **p = malloc((n + 1) * m);", &["malloc: unknown, none"]);
    for size in ["n * m * 8", "n * 8", "n", "n + m"] {
        check(&format!("char **p = malloc({size});"), &["malloc: array of char*, receiver"]);
    }
    check("char **p = calloc(n, sizeof(char *) * m);", &["calloc: array of char*, both"]);
    check("int *p = malloc(n * m);", &["malloc: array of int32, receiver"]);
}

#[test]
fn what_is_added_and_taken_away_again() {
    for slack in ["+ n - n", "+ (n - n)", "+ (n + m) - n - m", "+ n * m - n * m"] {
        check(
            &format!("struct point *p = malloc(3 * sizeof(struct point) {slack});"),
            &["malloc: array of struct point, both"],
        );
    }
    // zlib's, against a warning of an argument that is not used.
    check(
        "m = sizeof(struct point); n += m - m; struct point *p = malloc(n * m);",
        &["malloc: array of struct point, both"],
    );
    check("void *p = malloc(sizeof(struct header) + n - sizeof(struct header));", &["malloc: unknown, none"]);
    // A constant may be a last member.
    check(
        "struct header *p = malloc(sizeof(struct header) + (n + 8) - 8);",
        &["malloc: flexible struct header, both"],
    );
    // They need not be the same.
    check(
        "struct point *p = malloc(3 * sizeof(struct point) + strlen(s) - strlen(s + c));",
        &["malloc: struct point[3] then char, both"],
    );
}
