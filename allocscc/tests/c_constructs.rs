//! Constructs of GNU C and of C2x, one a case: each must be read whole, and sizes in it must come out as compilers have them.

use allocscc::c::{External, Parser, lexer};
use allocscc::sites::extract::{UnitInfo, facts_of_unit};

/// Name and source of each construct.
const CONSTRUCTS: &[(&str, &str)] = &[
    ("alignof", "int v = _Alignof(long) + __alignof__(v) + sizeof v;"),
    ("alignas", "_Alignas(16) char a[3]; struct s { _Alignas(double) char c; };"),
    (
        "asm goto",
        "int f(int x) { __asm__ goto(\"jmp %l1\" : : \"r\"(x) : \"cc\" : out); return 0; out: return 1; }",
    ),
    ("asm inline", "void f(void) { asm volatile inline(\"nop\"); __asm(\"\"); }"),
    (
        "asm name",
        "extern int renamed(int) __asm__(\"other\") __attribute__((nothrow)); register long sp asm(\"rsp\");",
    ),
    (
        "asm operands",
        "int f(int x) { __asm__ __volatile__(\"nop\" : [out] \"=r\"(x), \"+m\"(*(int *)&x) : \"0\"(x) : \"memory\", \"cc\"); return x; }",
    ),
    ("asm top level", "asm(\".globl here\"); __asm__ volatile(\"\");"),
    ("atomic", "_Atomic int a; _Atomic(long *) b; struct s { _Atomic unsigned long z; }; int *_Atomic c;"),
    (
        "attributes in the middle",
        "int __attribute__((noinline)) *__attribute__((cold)) f(int x __attribute__((unused))) { return 0; }",
    ),
    (
        "attributes of pointers",
        "typedef void (__attribute__((noreturn)) *handler)(int); int (__attribute__((cdecl)) f)(void);",
    ),
    (
        "attributes of a function",
        "void *f(int) __attribute__((malloc, alloc_size(1), malloc(free, 1))); void free(void *);",
    ),
    ("auto type", "int f(int x) { __auto_type y = x; __auto_type p = &y; return *p; }"),
    ("binary numbers", "int v = 0b1010 + 0B1;"),
    (
        "bit-fields",
        "struct s { unsigned a : 3, : 0, b : 5; int : 7; unsigned long c : 40; _Bool d : 1 __attribute__((packed)); };",
    ),
    ("_BitInt", "_BitInt(7) a; unsigned _BitInt(129) b;"),
    ("bool of C23", "bool f(void) { return true && !false; }"),
    ("bool declared", "typedef enum { false, true } bool; bool f(void) { return true; }"),
    ("bool as a variable", "int f(void) { int bool = 1, nullptr = 2; return bool + nullptr; }"),
    (
        "standard attributes",
        "[[nodiscard]] int f([[maybe_unused]] int x) { [[fallthrough]]; [[gnu::unused]] int y; return x; } struct [[deprecated(\"no\")]] s;",
    ),
    (
        "case ranges",
        "int f(int x) { switch (x) { case 1 ... 5: return 1; case 'a' ... 'z': ; default: return 2; } }",
    ),
    (
        "casts or calls",
        "typedef int T; int x; int f(int y) { return (T)(y) + (x)(y) + (T)-y + (x)-y + sizeof(T)*y + sizeof(x)*y; }",
    ),
    ("choose_expr", "int f(int x) { return __builtin_choose_expr(sizeof(int) == 4, x, \"no\"); }"),
    (
        "complex",
        "_Complex double f(_Complex double z) { return __real__ z + __imag z * 1.0i + ~z; } _Complex v; __complex__ float w;",
    ),
    (
        "compound literals",
        "struct s { int x; }; int *p = (int[]){ 1, 2 }; int f(void) { return ((struct s){ .x = 3 }).x + (int[]){ 1 }[0] + sizeof((char[]){ \"ab\" }); }",
    ),
    (
        "computed goto",
        "int f(int x) { static void *t[] = { &&one, &&two }; goto *t[x]; one: return 1; two: return 2; }",
    ),
    ("constexpr", "constexpr int x = 3; constexpr y = 4; static constexpr unsigned z = x;"),
    ("auto of C23", "auto x = 3; void f(void) { auto y = &x; static auto z = 1.0; auto int w = 2; }"),
    (
        "convertvector",
        "typedef int i4 __attribute__((vector_size(16))); typedef float f4 __attribute__((vector_size(16))); f4 f(i4 v) { return __builtin_convertvector(v, f4); }",
    ),
    (
        "declarations behind labels",
        "int f(int x) { here: ; int y = 1; switch (x) { case 1: ; int z = 2; return z; } return y; }",
    ),
    ("designated ranges", "int a[10] = { [0 ... 8] = 3, [9] = 4 }; int b[] = { [3] 5, [1] = 2 };"),
    (
        "designators",
        "struct s { int a[2]; struct { int b, c; }; } v = { .a[1] = 2, .b = 1, { 3 } }; struct s w[2] = { [1].a[0] = 4, [0] = { { 1, 2 }, .c = 5 } };",
    ),
    ("digit separators", "int v = 1'000'000 + 0xff'ff + 0b1'0; double d = 1'0.5;"),
    ("digraphs", "int a<:2:> = <% 1, 2 %>;"),
    ("do while", "void f(int x) { do x--; while (x); do { if (x) continue; else break; } while (0); }"),
    ("elvis", "int f(int x) { return x ?: x ? : 3; }"),
    ("empty initialiser", "struct s { int x; } v = {}; int a[3] = {}; struct empty {}; union nothing {};"),
    (
        "enum attributes",
        "enum e { A __attribute__((deprecated)), B [[maybe_unused]] = 3, C, } __attribute__((packed)); enum e v = B;",
    ),
    (
        "enum with a type",
        "enum e : unsigned char { A, B }; enum f : long; struct s { enum e x : 3; enum g : short { C } y; };",
    ),
    ("enum forward", "enum later *p; enum later { L }; enum { LAST = L + 1 };"),
    (
        "extension",
        "__extension__ typedef struct { __extension__ union { int a; float b; }; __extension__ int c; } T; int v = __extension__ (int) 1; int f(void) { __extension__ int x = 1; __extension__ ({ x; }); return __extension__ x; }",
    ),
    (
        "_Float128",
        "_Float128 f(_Float128 x) { return x + 1.0f128 + 1.0q; } _Float32 a; _Float64 b; _Float32x c; _Float64x d; _Float16 e; __float128 g;",
    ),
    ("decimal", "_Decimal32 a = 1.0df; _Decimal64 b = 1.0dd; _Decimal128 c = 1.0dl;"),
    (
        "fallthrough",
        "int f(int x) { switch (x) { case 1: x = 2; __attribute__((fallthrough)); case 2: return 3; } return 0; }",
    ),
    ("forward parameters", "int f(int n; int a[n], int n) { return a[n - 1]; }"),
    (
        "function pointers",
        "int (*(*f)(int, char *(*)(void)))(double); int (*a[3])(void); void (*signal(int, void (*)(int)))(int); typedef int fn(void); fn g, *h; int (*(g2)(int))[3];",
    ),
    (
        "generic",
        "int f(int x) { return _Generic(x, int: 1, default: 2) + _Generic((x), const char *: 3, default: x) + _Generic(int, int: 1, long: 2); }",
    ),
    ("goto", "void f(void) { again: goto again; unused: __attribute__((unused)); }"),
    (
        "for declarations",
        "void f(void) { for (int i = 0, *j = &i; i < 3; i++) {} for (;;) break; for (struct { int k; } s = { 0 }; s.k < 1; s.k++) ; }",
    ),
    ("implicit functions", "int f(x) { return g(x) + h(); }"),
    ("implicit int", "static x; f() { return x; } const y = 2; main(argc, argv) char **argv; { return 0; }"),
    (
        "inline",
        "static __inline__ __attribute__((always_inline)) int f(void) { return 1; } inline int g(void); extern inline __attribute__((gnu_inline)) int g(void) { return 2; }",
    ),
    (
        "__int128",
        "unsigned __int128 f(__int128 x) { return x; } __int128_t a; __uint128_t b; typedef __int128 wide;",
    ),
    (
        "old-style definitions",
        "int f(a, b, c) int a; register char *b; void (*c)(int); { return a; } int g() { return f(1, 0, 0); } struct s *h(x) struct s { int y; } *x; { return x; }",
    ),
    ("label attributes", "int f(void) { goto l; l: __attribute__((unused)); return 1; }"),
    ("labels of C23", "int f(int x) { l: int y = 1; switch (x) { case 1: int z = 2; default: } m: }"),
    ("local labels", "int f(void) { __label__ x, y; x: goto y; y: return 1; }"),
    (
        "lambda-like statement expressions",
        "int f(int x) { return ({ int g(int y) { return x + y; } &g; })(1); }",
    ),
    (
        "line markers",
        "int x;\n# 30 \"other.h\" 1 3 4\nint y;\n# 2 \"t.c\" 2\n#line 7 \"back\\\\slash.c\"\nint z;\n#ident \"x\"\n",
    ),
    (
        "long names",
        "long int unsigned long a; int long b; short unsigned c; char signed d; double long e; long unsigned int long f(void);",
    ),
    (
        "mode",
        "typedef int di __attribute__((mode(DI))); typedef unsigned byte __attribute__((__mode__(__QI__))); typedef float tf __attribute__((mode(TF)));",
    ),
    (
        "nested functions",
        "int f(int x) { auto int h(int); int g(int y) { return x + y; } int h(int z) { return g(z); } return g(1) + h(2); }",
    ),
    (
        "noreturn",
        "_Noreturn void f(void); __attribute__((noreturn)) void g(void); void h(void) __attribute__((noreturn));",
    ),
    ("nullptr", "void *f(void) { return nullptr; } typedef typeof(nullptr) null_t;"),
    (
        "offsetof",
        "struct s { int a[3]; struct { long c; } b; }; unsigned long f(int i) { return __builtin_offsetof(struct s, a[i]) + __builtin_offsetof(struct s, b.c); }",
    ),
    ("old designators", "struct s { int x, y; } v = { x: 3, y: 4 };"),
    (
        "parameter arrays",
        "int f(int n, int a[static 3], int b[const restrict n], int c[*], int d[static const 2], int (*e)[n], int g[][n]) { return a[0]; }",
    ),
    (
        "pragmas",
        "#pragma GCC diagnostic push\nint x;\n_Pragma(\"GCC diagnostic pop\") int y;\n#pragma pack(push, 1)\nstruct s { char a; int b; };\n#pragma pack(pop)\n_Static_assert(sizeof(struct s) == 5);",
    ),
    (
        "pragmas in functions",
        "void f(int *a) {\n#pragma omp parallel for\nfor (int i = 0; i < 3; i++) a[i] = _Pragma(\"x\") 1;\n}",
    ),
    ("raw strings", "const char *s = R\"x(a\"b\n)\" c)x\" \"tail\"; int after;"),
    (
        "static assertions",
        "_Static_assert(1); _Static_assert(sizeof(int) == 4, \"int\" \" is 4\"); static_assert(1); struct s { int x; _Static_assert(1, \"\"); }; void f(void) { _Static_assert(2 > 1, \"x\"); static_assert(1, \"y\"); }",
    ),
    (
        "statement expressions",
        "int f(int x) { return ({ int y = x; if (y) y++; y + 1; }) + ({; 1; }) + sizeof(({ x; })); }",
    ),
    (
        "strings",
        "const char *a = u8\"x\" \"y\"; const int *b = L\"w\"; char c[] = \"a\\x41\\101\\\"\\u00e9\"; int d = u'x' + U'y' + L'z' + u8'w' + 'ab' + '\\'';",
    ),
    (
        "struct attributes",
        "struct __attribute__((aligned(64))) s { int x; } __attribute__((packed)) v; struct t { int y; } __attribute__((packed, aligned(4))); __attribute__((unused)) static struct s w;",
    ),
    ("semicolons", ";; int x;; struct s { int y;; }; void f(void) { ;; } ;"),
    (
        "thread-local",
        "static __thread int x; _Thread_local int y; extern thread_local int z; __thread static int w;",
    ),
    (
        "typedef names as names",
        "typedef int T; struct T { T T; }; int f(int T) { return T * 2; } int g(void) { int T = 1; { typedef char T; T x; } return sizeof(T) * T; } int h(T (T)); T k(T); enum { U }; void l(void) { T: goto T; }",
    ),
    (
        "typedef names in parameters",
        "typedef int T; int f(T), g(int (T)), h(T x, T *y, T[3], T (*)(T)); int k(unsigned T);",
    ),
    (
        "typeof",
        "int f(int x) { __typeof__(x) y = x; typeof(int *) p = &y; typeof(*p) z = *p; __typeof(f) *q = f; return z; }",
    ),
    (
        "typeof_unqual",
        "int f(const int x) { __typeof_unqual__(x) y = x; typeof_unqual(const int) z = y; return z; }",
    ),
    ("types_compatible_p", "int f(int x) { return __builtin_types_compatible_p(__typeof__(x), int[3]); }"),
    (
        "union initialisers",
        "union u { int a; double b; } v = { .b = 1 }, w = { 2 }; union { struct { int x; } s; } q = { .s.x = 1 };",
    ),
    (
        "transparent unions",
        "typedef union { int *a; unsigned *b; } arg __attribute__((transparent_union)); int f(arg);",
    ),
    (
        "va_arg",
        "int f(int n, ...) { __builtin_va_list a; __builtin_va_start(a, n); __builtin_va_list *b = &a; return __builtin_va_arg(a, int) + *__builtin_va_arg(*b, int *); } int g(...);",
    ),
    (
        "vectors",
        "typedef int v4 __attribute__((vector_size(4 * sizeof(int)))); v4 f(v4 a, v4 b) { return (a + b) * (v4){ 1, 2, 3, 4 } + __builtin_shuffle(a, b) + (a > b); } int g(v4 a) { return a[2]; }",
    ),
    (
        "variable-length arrays",
        "int f(int n, void *p) { int (*a)[n] = (int (*)[n])p; int b[n][2]; struct { int c[n]; } s; return sizeof(*a) + sizeof b + sizeof(int[n]); }",
    ),
    ("variadic functions", "int f(const char *, ...); int g() ; int (*h)(int, ...); void k(int, ...) { }"),
    (
        "flexible arrays",
        "struct a { int n; char d[0]; }; struct b { int n; char d[]; } v = { 2, \"ab\" }; struct c { struct b x; };",
    ),
    ("unicode names", "int gr\u{f6}\u{df}e = 1; int \\u00e9t\\u00e9; int $dollar$ = 2;"),
    ("comma and conditional", "int f(int a, int b) { return a ? b, a : (b, a) ? a = b : b; }"),
    ("precedence", "int f(int a, int b) { return a + b * 2 << 1 & a | b ^ a && b || !a == ~b - -a + +b; }"),
    (
        "prefix and postfix",
        "struct s { struct s *n; int v[2]; } *p; int f(void) { return ++*&p->n->v[1] + p++->v[0]-- - -p[0].n[0].v[0]; }",
    ),
    (
        "sizeof without parentheses",
        "struct s { int x; } *p; unsigned long f(int *a) { return sizeof *p + sizeof a[0] + sizeof p->x + sizeof -1 + sizeof sizeof 1 + sizeof(int) - 1 + sizeof (a)[0]; }",
    ),
    (
        "switch without braces",
        "int f(int x) { switch (x) case 1: return 1; switch (x) default: ; switch (x) { int y; case 2: y = 1; } return 0; }",
    ),
    (
        "dangling else",
        "int f(int x) { if (x) if (x > 1) return 2; else return 1; else if (x < 0) return -1; else return 0; }",
    ),
    ("empty declarations", "struct s; union u; enum e { X }; int; struct { int ignored; }; static;"),
    (
        "redeclarations",
        "extern int a[]; int a[3]; int f(); int f(int); int f(int x) { return x; } static int g(void); int g(void) { return sizeof a; }",
    ),
    (
        "block functions",
        "void f(void) { extern int g(int); int h(void), i; static int j; register int k; typedef int T; T l; i = g(h()); }",
    ),
    ("hexadecimal floats", "double a = 0x1.8p3, b = 1e-5, c = .5e+10f, d = 1., e = 0x.8p-1L;"),
    ("nullability", "int *_Nonnull f(char *_Nullable p);"),
    (
        "memory model",
        "int f(int *p) { return __atomic_load_n(p, 5) + __sync_fetch_and_add(p, 1) + __builtin_popcount(*p); }",
    ),
    (
        "alias and section",
        "int x __attribute__((section(\".d\"), used, aligned(8), visibility(\"hidden\"))); extern int y __attribute__((alias(\"x\"))); void f(void) __attribute__((constructor(101)));",
    ),
    (
        "declaration attributes",
        "__attribute__((unused)) int f(void) { __attribute__((unused)) int x, __attribute__((aligned(8))) y; return 0; }",
    ),
    ("bit_cast", "float f(int x) { return __builtin_bit_cast(float, x); }"),
    (
        "types as arguments",
        "int f(int x) { return __builtin_has_attribute(int, aligned(4)) + __builtin_has_attribute(x, const) + __builtin_classify_type(char *); }",
    ),
    ("address spaces", "int __seg_fs *p; __seg_gs int q; int f(void) { return *(int __seg_gs *)8; }"),
    ("multi-line strings of clang", "const char *s = \"a\" \"b\"\n\"c\";"),
];

fn skipped(source: &str) -> Vec<String> {
    let text = format!("# 1 \"t.c\"\n{source}\n");
    let facts = facts_of_unit(text.as_bytes(), &UnitInfo::default());
    facts.skipped.iter().map(|(place, reason)| format!("{}:{}: {reason}", place.file, place.line)).collect()
}

#[test]
fn every_construct_is_read() {
    let mut failures = Vec::new();
    for (name, source) in CONSTRUCTS {
        failures.extend(skipped(source).into_iter().map(|reason| format!("{name}: {reason}")));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The value of the constant `v` that a file declares as the length of an array.
fn length_of_v(source: &str) -> Option<u64> {
    let tokens = lexer::tokenize(source.as_bytes());
    let mut parser = Parser::new(&tokens);
    let mut size = None;
    while let Some(external) = parser.advance() {
        if let External::Variables(variables) = external {
            for variable in variables {
                let object = parser.scopes.object(variable.object);
                if tokens.names.text(object.name) == "v" {
                    size = parser.types.size_of(object.ty);
                }
            }
        }
    }
    assert_eq!(parser.skipped, [], "{source}");
    size
}

/// `sizeof` after declarations, or any other constant: (declarations, constant, value). Checked against the host's compiler
/// by `constants_are_those_of_the_compiler`.
const CONSTANTS: &[(&str, &str, u64)] = &[
    ("", "sizeof(int) + sizeof(long double) + sizeof(_Complex float)", 28),
    ("struct s { char a; int b; char c; };", "sizeof(struct s)", 12),
    ("struct s { char a; int b; } __attribute__((packed));", "sizeof(struct s)", 5),
    ("struct s { char a; int b __attribute__((packed)); };", "sizeof(struct s)", 5),
    ("struct __attribute__((aligned(32))) s { char a; };", "sizeof(struct s) + _Alignof(struct s)", 64),
    ("struct s { char a; _Alignas(16) char b; };", "sizeof(struct s)", 32),
    ("struct s { unsigned a : 3, b : 30; };", "sizeof(struct s)", 8),
    ("struct s { char a; int b : 9, c : 9; };", "sizeof(struct s)", 4),
    ("struct s { char a; int : 0; char b; };", "sizeof(struct s)", 5),
    ("struct s { long a : 40, b : 20; char c; };", "sizeof(struct s)", 16),
    ("struct s { int a; union { char b[5]; short c; }; char d; };", "sizeof(struct s)", 12),
    ("union u { char a[9]; int b; };", "sizeof(union u)", 12),
    ("struct s { long n; char d[]; };", "sizeof(struct s)", 8),
    ("struct s {};", "sizeof(struct s) + 1", 1),
    ("struct s { int a; struct { char b; long c; } d[2]; };", "__builtin_offsetof(struct s, d[1].c)", 32),
    ("struct s { int a; union { int b; struct { char c, d; }; }; };", "__builtin_offsetof(struct s, d)", 5),
    ("enum e { A, B = 7, C };", "C * 10 + sizeof(enum e)", 84),
    ("enum __attribute__((packed)) e { A, B };", "sizeof(enum e)", 1),
    ("enum e { A = 0x100000000 };", "sizeof(enum e)", 8),
    ("", "sizeof \"a\\0b\" \"c\"", 5),
    ("", "sizeof(L\"ab\")", 12),
    ("int a[] = { 1, [5] = 2, 3 };", "sizeof a / sizeof *a", 7),
    ("char a[] = \"abc\";", "sizeof a", 4),
    ("char a[] = { 1, 2, 1, 2, 0x1, 1 };", "sizeof a", 6),
    ("char a[][4] = { \"a\", \"b\" };", "sizeof a", 8),
    ("struct s { int x, y; } a[] = { { 1 }, { 2 } };", "sizeof a", 16),
    ("", "sizeof(1 ? 1 : 1L) + sizeof('a') + sizeof(1.0f * 2)", 16),
    ("", "(unsigned char)300 + (-1 > 0u) + (5 - 7 < 0) + 7 / 2 % 2 + (1 << 4 | 3)", 66),
    ("", "sizeof((char)1 + (short)2) + sizeof(1u - 2l) + sizeof(~0ull)", 20),
    ("typedef int v4 __attribute__((vector_size(16)));", "sizeof(v4[2])", 32),
    ("typedef int di __attribute__((mode(DI)));", "sizeof(di)", 8),
    ("int f(void); char g(void);", "sizeof(f()) + sizeof(g()) + sizeof(&g)", 13),
    ("struct s { int x[4]; } *p;", "sizeof p->x + sizeof *p->x + sizeof(*p)", 36),
    ("int (*p)[3];", "sizeof *p + sizeof **p + sizeof p[0]", 28),
    ("", "sizeof(__builtin_va_list)", 24),
    ("", "_Generic(1L, int: 1, long: 2, default: 3)", 2),
    ("", "__builtin_types_compatible_p(int *, int *) + 1", 2),
    ("", "sizeof(__int128) + _Alignof(__int128) + sizeof(_Bool)", 33),
    ("typedef char T; struct s { T T; };", "sizeof(struct s) + sizeof(T)", 2),
    (
        "#pragma pack(2)\nstruct s { char a; int b; };\n#pragma pack()\nstruct t { char a; int b; };",
        "sizeof(struct s) * 10 + sizeof(struct t)",
        68,
    ),
    ("struct s { char a; double b; long double c; };", "sizeof(struct s)", 32),
    ("struct s { _Complex float z; char c; };", "sizeof(struct s)", 12),
];

#[test]
fn constants() {
    for (declarations, constant, value) in CONSTANTS {
        let source = format!("{declarations}\nchar v[{constant}];\n");
        assert_eq!(length_of_v(&source), Some(*value), "{source}");
    }
}

#[test]
fn constants_are_those_of_the_compiler() {
    let mut source = String::new();
    for (index, (declarations, constant, value)) in CONSTANTS.iter().enumerate() {
        // Each case gets a scope of its own.
        source.push_str(&format!(
            "void f{index}(void) {{\n{declarations}\n_Static_assert({constant} == {value}, \"\");\n}}\n"
        ));
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("constants.c");
    std::fs::write(&path, source).unwrap();
    let output = std::process::Command::new("cc").args(["-w", "-fsyntax-only"]).arg(&path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Whatever the host's compiler accepts of the table is C as it has it, so the table cannot hold only inventions.
#[test]
fn the_compiler_accepts_most_constructs() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("construct.c");
    let mut accepted = 0;
    for (_, source) in CONSTRUCTS {
        std::fs::write(&path, source).unwrap();
        let status = std::process::Command::new("cc")
            .args(["-w", "-std=gnu2x", "-fsyntax-only"])
            .arg(&path)
            .stderr(std::process::Stdio::null())
            .status()
            .unwrap();
        accepted += usize::from(status.success());
    }
    assert!(accepted * 10 > CONSTRUCTS.len() * 7, "{accepted} of {}", CONSTRUCTS.len());
}

/// (source, the functions still read, the places skipped)
const BROKEN: &[(&str, &[&str], &[u32])] = &[
    ("int a(void) { return 1; }\nint b(void) { return 1 + ; }\nint c(void) { return 2; }", &["a", "c"], &[2]),
    ("int a(void) { return (1; }\nint b(void) { return 2; }", &["b"], &[1]),
    ("int x = @;\nint b(void) { return 2; }", &["b"], &[1]),
    ("struct s { int x; $$ $$ } y;\nint b(void) { return 2; }", &["b"], &[1]),
    ("struct __attribute__((packed)) s { int @; } y;\nint b(void) { return 2; }", &["b"], &[1]),
    ("int a(void) { if (1) { \n}\n\nint b(void) { return 2; }\nint c(void) { return 3; }", &["b", "c"], &[5]),
    ("int a[] = { 1, 2, ? };\nint b(void) { return 2; }", &["b"], &[1]),
    ("f(a) int a; { return ]; }\nint b(void) { return 2; }", &["b"], &[1]),
    ("} int b(void) { return 2; }", &[], &[1]),
    ("int a(void) { return 1; } }\nint b(void) { return 2; }", &["a"], &[1]),
    ("int a(", &[], &[1]),
    ("\"", &[], &[1]),
    ("/* never closed", &[], &[]),
    ("int a(void) { x = ({ ; } int b(void) { return 2; }", &[], &[1]),
    ("_Static_assert(1, 2, 3);\nint b(void) { return 2; }", &["b"], &[1]),
];

#[test]
fn an_error_costs_one_declaration() {
    for (source, expect, places) in BROKEN {
        let tokens = lexer::tokenize(source.as_bytes());
        let mut parser = Parser::new(&tokens);
        let mut functions = Vec::new();
        while let Some(external) = parser.advance() {
            if let External::Function(definition) = external {
                functions.push(tokens.names.text(parser.scopes.object(definition.object).name));
            }
        }
        assert_eq!(functions, *expect, "{source}");
        let lines: Vec<u32> = parser.skipped.iter().map(|skipped| tokens.get(skipped.at).line).collect();
        assert_eq!(lines, *places, "{source}");
    }
}

/// Depth and length that no stack and no square survives.
#[test]
fn hostile_files_end_soon() {
    let many = 50_000;
    let deep = |open: &str, middle: &str, close: &str| {
        format!("int f(void) {{ return {}{middle}{}; }}\nint ok;", open.repeat(many), close.repeat(many))
    };
    let files = [
        deep("(", "1", ")"),
        deep("-", "1", ""),
        deep("!(int)", "1", ""),
        deep("sizeof ", "1", ""),
        deep("({", "1;", "})"),
        deep("f(", "", ")"),
        deep("a[", "1", "]"),
        deep("1 ? 1 : ", "1", ""),
        deep("1 + ", "1", ""),
        deep("a = ", "1", ""),
        deep("1, ", "1", ""),
        deep("a", "", "->b"),
        deep("", "a", "()"),
        format!("int {}x;", "*".repeat(many)),
        format!("int {}x{};", "(".repeat(many), ")".repeat(many)),
        format!("int x{};", "[1]".repeat(many)),
        format!("int x{};", "(int".repeat(many)),
        "struct {".repeat(many),
        "{".repeat(many),
        "}".repeat(many),
        "int f(void) {".repeat(many),
        format!("int f(void) {{ {} }}", "if (1) ".repeat(many)),
        format!("int f(void) {{ {} }}", "if (1) ; else ".repeat(many)),
        format!("int f(void) {{ {} }}", "while (1) for (;;) ".repeat(many)),
        format!("int f(void) {{ switch (1) {{ {} }} }}", "case 1: x = 1; y = 2; ".repeat(many)),
        format!("int f(int n) {{ {} malloc(n); }}", "n = n * 2 + n;".repeat(many)),
        format!("int f(int n) {{ {} malloc(n); }}", "if (n) n = n + sizeof n; else n = 2;".repeat(many)),
        format!("int x[] = {};", "{".repeat(many)),
        format!("typeof({}", "typeof(".repeat(many)),
        format!("enum {{ {} }};", (0..many).map(|i| format!("e{i},")).collect::<String>()),
        (1..40).fold("typedef int f0(void);".to_owned(), |text, i| {
            let before = i - 1;
            text + &format!("typedef int f{i}(f{before}, f{before});")
        }) + "void *malloc(unsigned long); void g(void) { f39 **p = malloc(sizeof *p); }",
        format!("int f(void) {{ {} }}", "l: goto l; x = 1; ".repeat(many)),
    ];
    // What else the machine does must not count.
    let seconds = || rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime).tv_sec;
    for text in files {
        let begin = seconds();
        let _ = facts_of_unit(text.as_bytes(), &UnitInfo::default());
        let taken = seconds() - begin;
        assert!(taken < 10, "{taken} s for {}", &text[..text.len().min(80)]);
    }
}
