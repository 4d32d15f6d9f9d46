// What is linked with -lallocs may name the base types that the headers declare, whatever compiles it: here a plug-in that cc made.
//@ ldflags: -L{stage}/lib -lallocs
//@ cflags: -I{stage}/include
//@ so-ldflags: -L{stage}/lib -lallocs
//@ cc-so: plain_plugin.c
//@ args: {dir}/libplain_plugin.so
//@ modes: plain library strip O2 clang -no-pie,-fno-pie
//@ stdout: the program: 4 bytes, as queries say
//@ stdout: the plug-in's constructor: the same
//@ stdout: the plug-in: the same
//@ plain-stdout: the program: 4 bytes, no answer
//@ plain-stdout: the plug-in: there
#include <allocs.h>

static int x;

int main(int argc, char **argv)
{
	struct uniqtype *type = alloc_get_type(&x);
	printf("the program: %u bytes, %s\n", UNIQTYPE_SIZE_IN_BYTES(&__uniqtype__int),
		!type ? "no answer" : type == &__uniqtype__int ? "as queries say" : "wrong");
	fflush(stdout);
	void *plugin = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	if (!plugin) return puts(dlerror()), 1;
	struct uniqtype *(*named)(void) = (struct uniqtype * (*) (void) ) dlsym(plugin, "named");
	printf("the plug-in: %s\n", !type ? named() ? "there" : "missing" : named() == type ? "the same" : "wrong");
	return 0;
}
