/* A plug-in of plugin.c: it allocates by functions of the program, which it was not linked with. */
#include <stdlib.h>
#include "plugin.h"

#define FAR __attribute__((noinline))

struct item { long a; };
struct thing { short b; };
struct text { int length; char data[]; };

FAR static void *own(size_t n)
{
	void *p = host_get(n);
	if (!p) abort();
	return p;
}

static inline void *inlined(size_t n)
{
	char *p = host_get(n);
	if (!p) abort();
	*p = 0;
	return p;
}

FAR static void *tail(size_t n) { return host_get(n); }

FAR static struct item *received(void)
{
	struct item *p = host_get(80);
	p->a = 1;
	return p;
}

void *make(int what)
{
	struct item *item = NULL;
	struct thing *thing = NULL;
	struct text *text = NULL;
	switch (what) {
	case GOT: item = host_get(3 * sizeof *item); break;
	case ZEROED: thing = host_zeroed(3, sizeof *thing); break;
	case MORE: item = host_more(NULL, 3 * sizeof *item); break;
	case LAST: thing = host_last(3 * sizeof *thing); break;
	case RECEIVED: item = received(); break;
	case FLEXIBLE: text = host_get(sizeof *text + (size_t) what); break;
	case OWN: thing = own(3 * sizeof *thing); break;
	case INLINED: item = inlined(5 * sizeof *item); break;
	case TAIL: thing = tail(7 * sizeof *thing); break;
	case BEHIND: item = host_behind(3 * sizeof *item); break;
	case TWICE: thing = host_twice(3 * sizeof *thing); break;
	case KIND: item = host_of_kind(sizeof *item); break;
	case CALLED_BACK: host_use(own); break;
	}
	if (item) item->a = 1;
	if (thing) thing->b = 1;
	if (text) text->length = what;
	return item ? (void *) item : thing ? (void *) thing : text;
}
