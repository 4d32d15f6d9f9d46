// A program names types at link time, and a library and a plug-in name the same ones: all get the address that queries give.
//@ with: names_other.c
//@ so: names_lib.c
//@ so-ldflags: -Wl,--no-undefined
//@ so: names_plugin.c
//@ ldflags: -L{dir} -lnames_lib -Wl,-rpath,$ORIGIN
//@ args: {dir}/libnames_plugin.so
//@ modes: plain library valgrind O2 clang -no-pie,-fno-pie -O2,-no-pie,-fno-pie -O2,-flto -ffunction-sections,-Xlinker,--gc-sections,-fdata-sections -fuse-ld=gold -fPIC
//@ stdout: constructor: as queries say
//@ stdout: base types: as queries say
//@ stdout: others: as queries say
//@ stdout: in another file of the program: as queries say
//@ stdout: in the library: as queries say
//@ stdout: in the plug-in's constructor: as queries say
//@ stdout: in the plug-in: as queries say
//@ stdout: int is int$32 of 4 bytes, its other signedness uint$32
//@ stdout: point has 2 members: x at 0, y at 8
//@ plain-stdout: constructor: no answer
//@ plain-stdout: base types: no answer
//@ plain-stdout: others: no answer
//@ plain-stdout: in another file of the program: no answer
//@ plain-stdout: in the library: no answer
//@ plain-stdout: in the plug-in's constructor: no answer
//@ plain-stdout: in the plug-in: no answer
//@ plain-stdout: int is a base type of 4 bytes
//@ plain-stdout: point is there
#define _GNU_SOURCE
#include "names.h"

extern struct uniqtype __uniqtype__long$20int, __uniqtype____PTR_point, __uniqtype____ARR_point, __uniqtype____ARR3_point;
extern struct uniqtype __uniqtype__color, __uniqtype__word, __uniqtype__short;

enum color { RED, GREEN };
typedef struct {
	long letters;
} word;

static int an_int;
static unsigned an_unsigned;
static long a_long;
static short a_short;
static struct point a_point, *a_pointer, points[3];
static enum color a_color;
static word a_word;
/* The address of a type is a constant. */
static struct uniqtype *const table[] = { &__uniqtype__int, &__uniqtype__point };

__attribute__((constructor)) static void construct(void)
{
	struct tally tally = { 0, 0, 0 };
	check(&tally, &an_int, &__uniqtype__int, "__uniqtype__int");
	check(&tally, &a_point, &__uniqtype__point, "__uniqtype__point");
	report("constructor", &tally);
}

int main(int argc, char **argv)
{
	struct tally tally = { 0, 0, 0 };
	check(&tally, &an_int, &__uniqtype__int, "__uniqtype__int$$32");
	check(&tally, &an_int, table[0], "__uniqtype__signed$20int");
	check(&tally, &an_unsigned, &__uniqtype__unsigned_int, "__uniqtype__unsigned");
	check(&tally, &a_long, &__uniqtype__long$20int, "__uniqtype__long$20int");
	check(&tally, &a_long, &__uniqtype__long_int, "__uniqtype__long_int");
	check(&tally, &a_short, &__uniqtype__short, "__uniqtype__short$20int");
	report("base types", &tally);

	check(&tally, &a_point, table[1], "__uniqtype__point");
	check(&tally, &a_pointer, &__uniqtype____PTR_point, "__uniqtype____PTR_point");
	check(&tally, points, &__uniqtype____ARR3_point, "__uniqtype____ARR3_point");
	check(&tally, malloc(4 * sizeof (struct point)), &__uniqtype____ARR_point, "__uniqtype____ARR_point");
	check(&tally, &a_color, &__uniqtype__color, "__uniqtype__color");
	check(&tally, &a_word, &__uniqtype__word, "__uniqtype__word");
	report("others", &tally);

	in_another_file(&tally);
	report("in another file of the program", &tally);
	in_library(&tally);
	report("in the library", &tally);

	void *plugin = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	void (*in_plugin)(struct tally *) = plugin ? (void (*)(struct tally *)) dlsym(plugin, "in_plugin") : NULL;
	if (!in_plugin) return puts("no plug-in"), 1;
	in_plugin(&tally);
	report("in the plug-in", &tally);

	struct uniqtype *t = &__uniqtype__int;
	if (!alloc_get_type(&an_int)) {
		printf("int is %s of %u bytes\n", UNIQTYPE_IS_BASE_TYPE(t) ? "a base type" : "wrong", t->pos_maxoff);
		printf("point is %s\n", table[1] ? "there" : "missing");
		return 0;
	}
	printf("int is %s of %u bytes, its other signedness %s\n", UNIQTYPE_NAME(t), t->pos_maxoff,
		UNIQTYPE_NAME(UNIQTYPE_BASE_TYPE_SIGNEDNESS_COMPLEMENT(t)));
	t = &__uniqtype__point;
	printf("%s has %u members: %s at %lu, %s at %lu\n", UNIQTYPE_NAME(t), UNIQTYPE_COMPOSITE_MEMBER_COUNT(t),
		UNIQTYPE_COMPOSITE_SUBOBJ_NAMES(t)[0], (unsigned long) t->related[0].un.memb.off,
		UNIQTYPE_COMPOSITE_SUBOBJ_NAMES(t)[1], (unsigned long) t->related[1].un.memb.off);
	return 0;
}
