/* The functions of the libraries of imported.c. */
#include <stddef.h>

void *get_some(size_t n);
void *get_zeroed(size_t n, size_t size);
void *get_more(void *p, size_t n);
void *get_last(size_t n);
void *get_behind(size_t n);
int get_out(size_t n, void **out);
void *get_rounded(size_t n);
void *get_other_name(size_t n);
extern void *(*const get_pointer)(size_t);
struct point *get_points(int n);
void *chain_get(size_t n);
void *chain_last(size_t n);
void *swapped_get(size_t n);
void *shadowed_get(size_t n);
void *shadowed_make(void);

struct point { int x, y; };
