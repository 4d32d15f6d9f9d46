/* What plugin.c has for its plug-ins, which know no more of it. */
#include <stddef.h>

void *host_get(size_t n);
void *host_zeroed(size_t n, size_t size);
void *host_more(void *p, size_t n);
void *host_last(size_t n);
void *host_behind(size_t n);
void *host_twice(size_t n);
void *host_of_kind(size_t kind);
void host_use(void *(*get)(size_t));

/* What a plug-in makes. */
enum { GOT, ZEROED, MORE, LAST, RECEIVED, FLEXIBLE, OWN, INLINED, TAIL, BEHIND, TWICE, KIND, CALLED_BACK, COUNT };
typedef void *make_t(int what);
