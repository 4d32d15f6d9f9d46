/* What the programs of this folder share. */
#include <allocs.h>
#include <stdarg.h>

/* A function that stays one, with its own frame. */
#define WRAPPER __attribute__((noinline))

struct one { long a; };
struct two { short b; };
struct three { int c; };

static inline const char *name(void *p)
{
	struct uniqtype *t = alloc_get_type(p);
	return t ? UNIQTYPE_NAME(t) : "none";
}

/* Makes the compiler keep what is there. */
__attribute__((noinline)) static void touch(void *p)
{
	__asm__ volatile("" : : "r"(p) : "memory");
}
