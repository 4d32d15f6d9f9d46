// A library's constructor asks about types before the program's code runs; the program, whose code reaches its objects directly, still
// finds the types in them. A type that a library describes may be named by a program that only declares it.
//@ so: made_early_lib.c
//@ ldflags: -L{dir} -lmade_early_lib -Wl,-rpath,$ORIGIN
//@ modes: plain library O2 clang -no-pie,-fno-pie
//@ stdout: int: as the library's constructor was told
//@ stdout: the library's struct: the same
//@ stdout: an enumeration: 3 names
//@ plain-stdout: int: no answer
//@ plain-stdout: the library's struct: no answer
//@ plain-stdout: an enumeration: 0 names
#include <allocs.h>

struct widget;
extern struct uniqtype __uniqtype__widget, __uniqtype__size;
extern struct uniqtype *int_at_start;
extern struct widget *const the_widget;

enum size { SMALL, LARGE = 10, HUGE = 1 << 20 };
enum size a_size;

static const char *same(struct uniqtype *named, struct uniqtype *asked, const char *yes)
{
	return !asked ? "no answer" : asked == named ? yes : "wrong";
}

int main(void)
{
	printf("int: %s\n", same(&__uniqtype__int, int_at_start, "as the library's constructor was told"));
	printf("the library's struct: %s\n", same(&__uniqtype__widget, alloc_get_type(the_widget), "the same"));
	printf("an enumeration: %u names\n", UNIQTYPE_ENUM_COUNT(&__uniqtype__size));
	return 0;
}
