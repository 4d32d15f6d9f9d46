//@ modes: library O2
//@ cc-so: leaks.c
//@ env: LD_PRELOAD={dir}/libleaks.so:{stage}/lib/liballocs_preload.so
//@ cflags: -I{stage}/include -std=c11 -Wall -Wextra -Werror
//@ env: LIBALLOCS_ERR=/dev/null
//@ stderr: leaked: 32 bytes in 2 of struct item[] from leaks_list.c:25 new_item
/* Blocks that a local variable, a union, and an interior pointer reach, and one that nothing does. */
#include <stdlib.h>

struct item {
	struct item *next;
	double value;
};

struct variant {
	int is_list;
	union {
		struct item *list;
		double number;
	} of;
};

static struct item *new_item(struct item *next)
{
	struct item *item = malloc(sizeof *item);
	item->next = next;
	return item;
}

struct variant *variant;
double *value;

int main(int argc, char **argv)
{
	(void) argv;
	struct item *volatile local = new_item(new_item(NULL));
	variant = malloc(sizeof *variant);
	variant->is_list = 1;
	variant->of.list = new_item(NULL);
	value = &new_item(NULL)->value;
	for (int i = 0; i < 3; ++i) local->next->next = new_item(NULL);
	exit(argc - 1);
}
