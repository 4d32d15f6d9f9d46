#define _GNU_SOURCE
#include "names.h"

struct only_here {
	char c;
};
extern struct uniqtype __uniqtype__only_here, __uniqtype__char;

static int an_int;
static char a_char;
static struct point a_point;
static struct only_here an_only_here;

void in_library(struct tally *tally)
{
	check(tally, &an_int, &__uniqtype__int, "__uniqtype__int");
	check(tally, &a_char, &__uniqtype__char, "__uniqtype__char");
	check(tally, &a_point, &__uniqtype__point, "__uniqtype__point");
	check(tally, &an_only_here, &__uniqtype__only_here, "__uniqtype__only_here");
}
