/* A plug-in of churn.c. The other one has other types in the same places. */
#include <stdlib.h>
#include "churn.h"

struct of_one { struct of_one *next; long number; char text[8]; };

static struct of_one some;

static void *make(unsigned long n)
{
	struct of_one *made = malloc(n * sizeof *made);
	/* The call is not the last thing that is done, else the caller would be the site. */
	if (!made) abort();
	return made;
}

static int call(int (*ask)(void *), int *is_here)
{
	struct of_one local = { &some, 1, "" };
	int answer = ask(&local);
	*is_here = local.next == &some;
	return answer;
}

struct plugin plugin = { "of_one", make, &some, call };
