// A program may allocate before any constructor of ours or its own has run, and after all destructors.
//@ cflags: -O1
//@ modes: plain library valgrind ulimit
//@ stdout: before constructors: early
//@ stdout: in a constructor: 42
//@ stdout: in main: 1
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *early;
static int *constructed;

static void before(void)
{
	early = malloc(100000);
	strcpy(early, "early");
	early = realloc(early, 20);
}

__attribute__((section(".preinit_array"), used)) static void (*const preinit)(void) = before;

__attribute__((constructor(101))) static void first(void)
{
	constructed = calloc(1, sizeof *constructed);
	*constructed = 42;
}

__attribute__((destructor(101))) static void last(void)
{
	free(early);
	free(constructed);
	char *p = malloc(70000);
	memset(p, 0, 70000);
	free(p);
}

int main(void)
{
	printf("before constructors: %s\nin a constructor: %d\n", early, *constructed);
	char *p = malloc(1);
	printf("in main: %d\n", p != NULL);
	free(p);
	return 0;
}
