//@ modes: library O0 O2 -no-pie,-fno-pie
//@ stdout: a function of the C library: static printf, no type
//@ stdout: a variable of it: static _IO_2_1_stdout_, no type
//@ stdout: a section without symbols: static section
//@ stdout: a mapping: mmap 8192
//@ stdout: the break: brk
//@ stdout: argv: auxv __ARR[[re:[0-9]+]]___PTR_signed_char$8
//@ stdout: a string of argv: auxv __ARR[[re:[0-9]+]]_signed_char$8, base is argv[0]
//@ stdout: envp: auxv, 8 bytes a variable
//@ stdout: the error is: unrecognised static object
/* What we did not build, and what the kernel made. */
#define _GNU_SOURCE
#include <allocs.h>
#include <sys/mman.h>
#include <unistd.h>

extern char **environ;
extern char _DYNAMIC[];

static void show(const char *what, void *p)
{
	char name[64] = "";
	alloc_get_name(p, name, sizeof name);
	printf("%s: %s %s, %s\n", what, alloc_get_allocator(p)->name, name, alloc_get_type(p) ? "typed" : "no type");
}

int main(int argc, char **argv)
{
	void *function = dlsym(RTLD_DEFAULT, "printf");
	show("a function of the C library", function);
	show("a variable of it", dlsym(RTLD_NEXT, "_IO_2_1_stdout_"));
	printf("a section without symbols: %s\n", alloc_get_allocator(_DYNAMIC + 1)->name);
	char *mapping = mmap(NULL, 8192, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	printf("a mapping: %s %lu\n", alloc_get_allocator(mapping + 5000)->name, alloc_get_size(mapping));
	char *old = sbrk(4096);
	printf("the break: %s\n", alloc_get_allocator(old + 8)->name);
	printf("argv: %s %s\n", alloc_get_allocator(argv)->name, UNIQTYPE_NAME(alloc_get_type(&argv[argc])));
	printf("a string of argv: %s %s, base is %s\n", alloc_get_allocator(argv[0])->name,
		UNIQTYPE_NAME(alloc_get_type(argv[0] + 1)), alloc_get_base(argv[0] + 1) == argv[0] ? "argv[0]" : "another");
	unsigned long variables = 1;
	while (environ[variables - 1]) ++variables;
	printf("envp: %s, %s\n", alloc_get_allocator(environ)->name,
		alloc_get_size(environ) == 8 * variables ? "8 bytes a variable" : "another size");
	struct uniqtype *type;
	printf("the error is: %s\n", __liballocs_errstring(alloc_get_info(function, NULL, &type, NULL, NULL, NULL)));
	return 0;
}
