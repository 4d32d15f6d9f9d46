/* Loaded by type_symbols.c. */
#define _GNU_SOURCE
#include <allocs.h>

struct clash {
	double theirs;
};
struct only_there {
	long a, b, c;
};
struct hidden {
	char bytes[3];
};

struct clash other_clash;
struct only_there an_only_there;
struct hidden a_hidden_one;

struct uniqtype *asked_early;

__attribute__((constructor)) static void ask_early(void)
{
	asked_early = dlsym(RTLD_DEFAULT, "__uniqtype__only_there");
}

struct uniqtype *next_clash(void)
{
	/* No last call, or dlsym would take our caller for its own. */
	struct uniqtype *volatile found = dlsym(RTLD_NEXT, "__uniqtype__clash");
	return found;
}
