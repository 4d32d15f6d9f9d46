// A type is found by its symbol: at the address that queries give, whichever file names it.
//@ so: type_symbols_other.c
//@ args: {dir}/libtype_symbols_other.so
//@ modes: plain library strip O2 clang valgrind -no-pie,-fno-pie -O2,-no-pie
//@ stdout: base types: as queries say
//@ stdout: arrays and pointers: as queries say
//@ stdout: others: as queries say
//@ stdout: not used anywhere: int$128 float$128 __ARR0___PTR_point __ARRZ_point
//@ stdout: a struct that both files have: one here, another there
//@ stdout: a struct that is only there: found
//@ stdout: a struct that is only declared here: as queries say
//@ stdout: my own file: mine
//@ stdout: asked by its constructor: found
//@ stdout: asked by the last file for the next one's: the first one's
//@ stdout: what no file has: nothing, [[re:.*: undefined symbol: __uniqtype__no_such]]
//@ stdout: the error is told once: yes
//@ stdout: an older error is forgotten: yes
//@ stdout: other symbols are the next file's: yes
//@ plain-stdout: base types: not found
//@ plain-stdout: arrays and pointers: not found
//@ plain-stdout: others: not found
//@ plain-stdout: not used anywhere: (null) (null) (null) (null)
//@ plain-stdout: a struct that both files have: nothing
//@ plain-stdout: a struct that is only there: nothing
//@ plain-stdout: a struct that is only declared here: not found
//@ plain-stdout: my own file: nothing
//@ plain-stdout: asked by its constructor: nothing
//@ plain-stdout: asked by the last file for the next one's: nothing
//@ plain-stdout: what no file has: nothing, [[re:.*: undefined symbol: __uniqtype__no_such]]
//@ plain-stdout: the error is told once: yes
//@ plain-stdout: an older error is forgotten: yes
//@ plain-stdout: other symbols are the next file's: yes
#define _GNU_SOURCE
#include <allocs.h>

struct point {
	int x, y;
};
typedef struct {
	long tagless;
} tagless;
enum color { RED, GREEN };
union either {
	int i;
	float f;
};
struct clash {
	int mine;
};
struct hidden;

short a_short;
unsigned short an_unsigned_short;
int an_int;
unsigned an_unsigned;
long a_long;
unsigned long an_unsigned_long;
char a_char;
unsigned char a_byte;
float a_float;
double a_double;
_Bool a_bool;
struct {
	int bits : 16;
} with_bits;
struct point a_point, *a_pointer, points[4];
tagless a_tagless;
enum color a_color;
union either an_either;
struct clash a_clash;
struct hidden *a_hidden;
int *a_pointer_to_int;

static int function(int a, struct point *b)
{
	return a + b->x;
}

static int checked, wrong;

static void check(void *object, const char *symbol)
{
	struct uniqtype *found = dlsym(RTLD_DEFAULT, symbol);
	++checked;
	if (!found || found != alloc_get_type(object) || found != dlsym(RTLD_NEXT, symbol)) ++wrong;
}

static void report(const char *what)
{
	printf("%s: %s\n", what, wrong == 0 ? "as queries say" : wrong == checked ? "not found" : "wrong");
	checked = wrong = 0;
}

static const char *name_of(const char *symbol)
{
	return UNIQTYPE_NAME((struct uniqtype *) dlsym(NULL, symbol));
}

/* The program's own definition of something that the C library has too. */
int toupper(int c)
{
	return c;
}

int main(int argc, char **argv)
{
	if (argc != 2) return 1;
	check(&a_short, "__uniqtype__short$20int");
	check(&a_short, "__uniqtype__short_int");
	check(&a_short, "__uniqtype__int$$16");
	check(&an_unsigned_short, "__uniqtype__unsigned$20short");
	check(&an_int, "__uniqtype__int");
	check(&an_int, "__uniqtype__int$$32");
	check(&an_unsigned, "__uniqtype__unsigned$20int");
	check(&an_unsigned, "__uniqtype__unsigned_int");
	check(&a_long, "__uniqtype__long$20int");
	check(&a_long, "__uniqtype__long$20long$20int");
	check(&an_unsigned_long, "__uniqtype__long$20unsigned$20int");
	check(&a_char, "__uniqtype__char");
	check(&a_char, "__uniqtype__signed_char$$8");
	check(&a_byte, "__uniqtype__unsigned$20char");
	check(&a_float, "__uniqtype__float");
	check(&a_double, "__uniqtype__double");
	check(&a_bool, "__uniqtype___Bool");
	report("base types");

	check(points, "__uniqtype____ARR4_point");
	check(&a_pointer, "__uniqtype____PTR_point");
	check(&a_pointer_to_int, "__uniqtype____PTR_int$$32");
	check(malloc(2 * sizeof (struct point)), "__uniqtype____ARR_point");
	check(malloc(2 * sizeof (struct point)), "__uniqtype____ARR0_point");
	report("arrays and pointers");

	check(&a_point, "__uniqtype__point");
	check(&a_tagless, "__uniqtype__tagless");
	check(&a_color, "__uniqtype__color");
	check(&an_either, "__uniqtype__either");
	check((void *) function, "__uniqtype____FUN_FROM___ARG0_int$$32__ARG1___PTR_point__FUN_TO_int$$32");
	report("others");

	printf("not used anywhere: %s", name_of("__uniqtype____int128"));
	printf(" %s", name_of("__uniqtype__long$20double"));
	printf(" %s", name_of("__uniqtype____ARR_$5f_PTR_point"));
	printf(" %s\n", name_of("__uniqtype____ARRZ_point"));

	void *file = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	if (!file) return puts(dlerror()), 1;
	struct uniqtype *mine = dlsym(RTLD_DEFAULT, "__uniqtype__clash");
	struct uniqtype *theirs = dlsym(file, "__uniqtype__clash");
	printf("a struct that both files have: %s\n", !mine && !theirs ? "nothing"
		: mine == alloc_get_type(&a_clash) && theirs == alloc_get_type(dlsym(file, "other_clash"))
		&& theirs == dlsym(RTLD_NEXT, "__uniqtype__clash") && mine != theirs ? "one here, another there" : "wrong");
	struct uniqtype *only = dlsym(RTLD_DEFAULT, "__uniqtype__only_there");
	printf("a struct that is only there: %s\n", !only ? "nothing"
		: only == alloc_get_type(dlsym(file, "an_only_there")) ? "found" : "wrong");
	struct uniqtype *pointer = alloc_get_type(&a_hidden), *hidden = dlsym(RTLD_DEFAULT, "__uniqtype__hidden");
	++checked;
	if (!pointer || !hidden || UNIQTYPE_POINTEE_TYPE(pointer) != hidden || hidden->pos_maxoff != 3) ++wrong;
	report("a struct that is only declared here");
	struct uniqtype *own = dlsym(__liballocs_my_metaobj(), "__uniqtype__clash");
	printf("my own file: %s\n", !own ? "nothing" : own == mine ? "mine" : "theirs");

	struct uniqtype **early = dlsym(file, "asked_early"), *(*next_clash)(void) = (struct uniqtype * (*)(void)) dlsym(file, "next_clash");
	printf("asked by its constructor: %s\n", !*early ? "nothing" : *early == only ? "found" : "wrong");
	struct uniqtype *after_last = next_clash();
	printf("asked by the last file for the next one's: %s\n", !after_last ? "nothing" : after_last == mine ? "the first one's" : "wrong");

	void *none = dlsym(RTLD_DEFAULT, "__uniqtype__no_such");
	printf("what no file has: %s, %s\n", none ? "something" : "nothing", dlerror());
	printf("the error is told once: %s\n", dlerror() ? "no" : "yes");
	dlsym(RTLD_DEFAULT, "no_such_symbol");
	if (alloc_get_type(&an_int)) dlsym(RTLD_DEFAULT, "__uniqtype__int");
	else dlsym(RTLD_DEFAULT, "malloc");
	printf("an older error is forgotten: %s\n", dlerror() ? "no" : "yes");
	void *next = dlsym(RTLD_NEXT, "toupper");
	printf("other symbols are the next file's: %s\n", next && next != (void *) toupper ? "yes" : "no");
	return function(0, &a_point) + with_bits.bits;
}
