/* Every kind of type. Each is used by a variable, so that no compiler leaves it out. */
typedef unsigned long size;

enum signs { MINUS = -1, ZERO, PLUS };
enum flags { FIRST = 1, SECOND = 2, FOURTH = 4 };
enum large { TOP = 0xffffffff };
enum { ONLY } anonymous_enum;

struct bits {
  unsigned a : 3;
  int b : 9;
  long c : 40;
  _Bool d : 1;
  enum flags e : 4;
  unsigned short f : 16;
};
struct __attribute__((packed)) tight {
  char c;
  unsigned odd : 13;
  unsigned long wide : 45;
  int behind;
};
struct empty { };
struct flexible { int n; char data[]; };
struct zero { int n; long data[0]; };
struct one { int n; short data[1]; };
struct opaque;
struct list {
  struct list *next;
  const struct list *volatile *prev;
  struct opaque *o;
  int (*callback)(void *, ...);
};
struct tree { struct forest *up; struct { struct tree *left, *right; } child; };
struct forest { struct tree *trees[8]; int (*visit)(struct forest *, struct tree *); };
typedef struct { int a; union { int u; float f; }; } named_by_typedef;
typedef const struct { struct { char c; } in; } qualified;
union any { int i; void *p; struct list l; };

char c; signed char sc; unsigned char uc; short s; unsigned short us; int i; unsigned u; long l; unsigned long ul;
long long ll; unsigned long long ull; float f; double d; long double ld; _Bool b; __int128 i128; unsigned __int128 u128;
float _Complex cf; double _Complex cd; __WCHAR_TYPE__ wc; __CHAR16_TYPE__ c16; __CHAR32_TYPE__ c32;
size typedefed; const int *const volatile cp; void *vp; void **vpp; void *restrict rp; _Atomic int at;
int matrix[3][4]; int unbounded[]; int unbounded[] = { 1, 2 }; extern long elsewhere[]; long elsewhere[2];
typedef int vector __attribute__((vector_size(16))); vector v;
enum signs signs; enum flags flags; enum large large;
struct bits bits; struct tight tight; struct empty empty; struct flexible flexible; struct zero zero; struct one one;
struct list list; struct tree tree; struct forest forest; named_by_typedef nt; qualified q; union any any;
struct { int x, y; } unnamed_variable;

int prototyped(int (*compare)(const void *, const void *), char **strings, ...) { return compare(strings, 0); }
int compare(const void *a, const void *b) { return a < b; }
void nothing(void) { }
int old_style() { return 0; }
int knr(a, b) int a; char *b; { return a + *b; }

int main(int argc, char **argv)
{
  int variable[argc];
  variable[0] = prototyped(compare, argv) + knr(1, *argv) + old_style();
  nothing();
  return variable[0];
}
