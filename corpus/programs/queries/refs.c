//@ modes: library O0 O2 clang
//@ stdout: slots of the array: 4
//@ stdout: each to a node
//@ stdout: stopped by 7 after 2
//@ stdout: slots of a buffer: 0
//@ stdout: reached: node node node point
//@ stdout: a void pointer reaches __ARR2_point
/* The typed pointers in an allocation, and what they reach. */
#include <allocs.h>
#include <uniqtype-bfs.h>

struct point {
	int x, y;
};
struct node {
	struct node *next;
	struct point *point;
	long payload;
};

static int count, to_nodes;

static int each(void **slot, struct uniqtype *pointee, void *arg)
{
	(void) slot;
	if (!strcmp(UNIQTYPE_NAME(pointee), arg)) ++to_nodes;
	return ++count, 0;
}

static int stop_at_second(void **slot, struct uniqtype *pointee, void *arg)
{
	(void) slot, (void) pointee, (void) arg;
	return ++count == 2 ? 7 : 0;
}

static void print(void *obj, struct uniqtype *type, void *arg)
{
	(void) obj, (void) arg;
	printf(" %s", UNIQTYPE_NAME(type));
}

static struct holder {
	void *anything;
} holder;

static void remember(void *obj, struct uniqtype *type, void *arg)
{
	if (obj != &holder) *(struct uniqtype **) arg = type;
}

int main(void)
{
	struct node *two = calloc(2, sizeof (struct node));
	alloc_walk_refs(&two[1], each, "node");
	printf("slots of the array: %d\n", count);
	if (to_nodes == 2) puts("each to a node");
	count = 0;
	int result = alloc_walk_refs(two, stop_at_second, NULL);
	printf("stopped by %d after %d\n", result, count);
	char *text = malloc(100 * sizeof (char));
	count = 0;
	alloc_walk_refs(text, each, "");
	printf("slots of a buffer: %d\n", count);
	struct node *third = calloc(1, sizeof (struct node));
	two[0].next = &two[1];
	two[1].next = third;
	third->next = two;
	two[1].point = malloc(2 * sizeof (struct point));
	printf("reached:");
	__uniqtype_walk_bfs_from_object(two, UNIQTYPE_ARRAY_ELEMENT_TYPE(alloc_get_type(two)), NULL, NULL, print, NULL);
	puts("");
	holder.anything = two[1].point;
	struct uniqtype *last = NULL;
	__uniqtype_walk_bfs_from_object(&holder, alloc_get_type(&holder), __uniqtype_default_follow_ptr, NULL, remember, &last);
	printf("a void pointer reaches %s\n", UNIQTYPE_NAME(last));
	free(two[1].point);
	free(two);
	free(third);
	free(text);
	return 0;
}
