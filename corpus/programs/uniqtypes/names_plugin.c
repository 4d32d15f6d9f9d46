#define _GNU_SOURCE
#include "names.h"

struct in_plugin {
	float f[3];
};
extern struct uniqtype __uniqtype__in_plugin, __uniqtype____PTR_int, __uniqtype__float;

static int an_int, *a_pointer;
static float a_float;
static struct point a_point;
static struct in_plugin an_in_plugin;
static struct uniqtype *const table[] = { &__uniqtype__in_plugin, &__uniqtype__point };

void in_plugin(struct tally *tally)
{
	check(tally, &an_int, &__uniqtype__int, "__uniqtype__int");
	check(tally, &a_float, &__uniqtype__float, "__uniqtype__float");
	check(tally, &a_pointer, &__uniqtype____PTR_int, "__uniqtype____PTR_int$$32");
	check(tally, &an_in_plugin, &__uniqtype__in_plugin, "__uniqtype__in_plugin");
	check(tally, &an_in_plugin, table[0], "__uniqtype__in_plugin");
	check(tally, &a_point, table[1], "__uniqtype__point");
	check(tally, &a_point, &__uniqtype__point, "__uniqtype__point");
}

__attribute__((constructor)) static void construct(void)
{
	struct tally tally = { 0, 0, 0 };
	in_plugin(&tally);
	report("in the plug-in's constructor", &tally);
}
