//@ cflags: -g
//@ modes: library
//@ stdout: 8 addresses
/* tests/debugger.rs stops it at `stop` and compares what it was told with what a debugger says. */
#include <allocs.h>

enum { COUNT = 8 };

struct point { int x, y; };

static struct point table[5];
int number = 7;
const char text[] = "a text";

/* What was asked about: a static or function, or a local. */
void *addresses[COUNT];
char names[COUNT][100], types[COUNT][100];
unsigned long offsets[COUNT], ends[COUNT];
void *site;
char site_name[100];

static void ask(int i, void *p)
{
	addresses[i] = p;
	offsets[i] = (char *) p - (char *) alloc_get_base(p);
	ends[i] = (unsigned long) alloc_get_base(p) + alloc_get_size(p);
	if (!alloc_get_name(p, names[i], sizeof names[i])) strcpy(names[i], "none");
	uniqtype_to_c(alloc_get_type(p), types[i], sizeof types[i]);
}

__attribute__((noinline)) void stop(void) { __asm__ volatile (""); }

__attribute__((noinline)) static void inner(struct point *of_outer)
{
	struct point local = { 1, 2 };
	ask(5, &local);
	ask(6, of_outer);
	stop();
	of_outer->x = local.y;
}

__attribute__((noinline)) static int outer(void)
{
	struct point mine = { 3, 4 };
	inner(&mine);
	return mine.x;
}

int main(void)
{
	static short of_main[4];
	ask(0, &table[3].y);
	ask(1, &number);
	ask(2, (void *) &text[2]);
	ask(3, (char *) ask + 5);
	ask(4, &of_main[1]);
	ask(7, (char *) main + 1);
	struct point *block = malloc(4 * sizeof *block);
	site = (void *) alloc_get_site(block);
	alloc_get_site_name(site, site_name, sizeof site_name);
	int found = outer();
	free(block);
	printf("%d addresses\n", COUNT - (found != 2));
	return 0;
}
