#include <allocs.h>

struct widget {
	int a;
	char b[12];
};

static int an_int;
static struct widget a_widget;
struct widget *const the_widget = &a_widget;
struct uniqtype *int_at_start;

__attribute__((constructor)) static void construct(void)
{
	int_at_start = alloc_get_type(&an_int);
	alloc_get_type(&a_widget);
}
