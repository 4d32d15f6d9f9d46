#define _GNU_SOURCE
#include "names.h"

#define TYPE(name) __uniqtype__##name
extern struct uniqtype TYPE(double), TYPE(__PTR_void);

static double a_double;
static void *a_pointer;
static struct point a_point;

void in_another_file(struct tally *tally)
{
	check(tally, &a_double, &TYPE(double), "__uniqtype__float$$64");
	check(tally, &a_pointer, &TYPE(__PTR_void), "__uniqtype____PTR_void");
	check(tally, &a_point, &TYPE(point), "__uniqtype__point");
}
