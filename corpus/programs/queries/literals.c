//@ modes: library strip O0 O2 clang -no-pie,-fno-pie -O0,-fmerge-constants -O2,-fno-merge-constants
//@ stdout: narrow: static 12 char[12]
//@ stdout: short: static 2 char[2]
//@ stdout: behind a jump table: static 42 char[42]
//@ stdout: inside: static 42 char[42]
//@ stdout: escapes: static 9 char[9]
//@ stdout: wide: static 40 int[10]
//@ stdout: char16_t: static 12 unsigned short[6]
/* String literals, wherever the compiler puts them: without optimisation gcc mixes them with jump tables and constants. */
#include <allocs.h>

const char *narrow = "hello " "world";
const char *short_one = "q";
const int *wide = L"wide \u00e9 €\n";
const unsigned short *sixteen = u"h\0\u00e9u\x7";

static void show(const char *what, const void *p)
{
	char c[64];
	uniqtype_to_c(alloc_get_type((void *) p), c, sizeof c);
	printf("%s: %s %lu %s\n", what, alloc_get_allocator((void *) p)->name, alloc_get_size((void *) p), c);
}

__attribute__((noinline)) static double scale(int n)
{
	return n * 2.0 + 0.1;
}

__attribute__((noinline)) static const char *choose(int n)
{
	switch (n) {
	case 0: return show("narrow", narrow), narrow;
	case 1: return show("short", short_one), short_one;
	case 2: return "a literal that stands behind a jump table";
	case 3: return show("wide", wide), narrow;
	case 4: return show("char16_t", sixteen), narrow;
	case 5: return "t\t\303\251\0\x7f\"\\";
	}
	return narrow;
}

int main(int argc, char **argv)
{
	choose(argc - 1);
	choose(argc);
	show("behind a jump table", choose(argc + 1));
	show("inside", choose(argc + 1) + 10);
	show("escapes", choose(argc + 4));
	choose(argc + 2);
	choose(argc + 3);
	return scale(argc) < 0;
}
