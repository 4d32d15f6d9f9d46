//@ modes: library strip O0 O2 clang -no-pie,-fno-pie
//@ stdout: table: static 40 table __ARR10_int$32 int[10]
//@ stdout: &table[3]: static 40 table __ARR10_int$32 int[10]
//@ stdout: hidden: static 8 hidden float$64 double
//@ stdout: local: static 4 main.local int$32 int
//@ stdout: helper: static [[re:[0-9]+]] helper __FUN_FROM___ARG0_int$32__FUN_TO_int$32 int(int)
//@ stdout: names: static 24 names __ARR3___PTR_signed_char$8 char *[3]
//@ stdout: literal: static 12 (null) __ARR12_signed_char$8 char[12]
//@ stdout: the same type twice is one address
//@ stdout: fake_dladdr: [[...]] hidden
/* Functions, variables of any linkage and scope, string literals. */
#include <allocs.h>
#include <relf.h>

int table[10] = { 1 };
static double hidden = 1.5;
const char *names[3] = { "hello world" };
int other = 1;

__attribute__((noinline)) static int helper(int n)
{
	return n + table[n];
}

static void show(const char *what, void *p)
{
	char name[64], c[64];
	struct uniqtype *t = alloc_get_type(p);
	const char *n = alloc_get_name(p, name, sizeof name);
	uniqtype_to_c(t, c, sizeof c);
	printf("%s: %s %lu %s %s %s\n", what, alloc_get_allocator(p)->name, alloc_get_size(p), n ? n : "(null)",
		UNIQTYPE_NAME(t), c);
}

int main(void)
{
	static int local = 7;
	show("table", table);
	show("&table[3]", (char *) &table[3] + 1);
	show("hidden", &hidden);
	show("local", &local);
	show("helper", (void *) helper);
	show("names", names);
	show("literal", (void *) names[0]);
	if (alloc_get_type(&local) == alloc_get_type(&other)
		&& alloc_get_type(&local) == UNIQTYPE_ARRAY_ELEMENT_TYPE(alloc_get_type(table)))
		puts("the same type twice is one address");
	const char *file, *symbol;
	void *file_base, *symbol_base;
	if (fake_dladdr(&hidden, &file, &file_base, &symbol, &symbol_base) && symbol_base == &hidden)
		printf("fake_dladdr: %s %s\n", strstr(file, "statics") ? "statics" : file, symbol);
	return helper(2) + local + (int) hidden + other == 100;
}
