// A program's own dl_iterate_phdr may allocate. What it gets while the library looks for the real malloc is memory like any other.
//@ cflags: -O1 -fno-builtin -rdynamic
//@ modes: plain library
//@ stdout: dl_iterate_phdr allocated: 1
//@ stdout: 0 pieces were dirty, 0 were damaged
//@ stdout: realloc keeps them: 1
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECES = 12 };

static unsigned char *piece[PIECES];
static int count, dirty;

static size_t size_of(int i) { return 8 + 25 * (size_t) i; }

typedef int callback(struct dl_phdr_info *, size_t, void *);

int dl_iterate_phdr(callback *f, void *data)
{
	static int (*real)(callback *, void *);
	if (!real) real = (int (*)(callback *, void *)) dlsym(RTLD_NEXT, "dl_iterate_phdr");
	for (int n = 0; n < 4 && count < PIECES; n++) {
		int i = count++;
		piece[i] = i % 2 ? calloc(1, size_of(i)) : malloc(size_of(i));
		for (size_t at = 0; i % 2 && at < size_of(i); at++) dirty += piece[i][at] != 0;
		memset(piece[i], i, size_of(i));
		if (i % 3 == 0) free(malloc(10));
	}
	return real(f, data);
}

static int nothing(struct dl_phdr_info *info, size_t size, void *data)
{
	return 0;
}

int main(void)
{
	int damaged = 0, kept = 1;
	dl_iterate_phdr(nothing, NULL);
	printf("dl_iterate_phdr allocated: %d\n", count > 0);
	for (int i = 0; i < count; i++)
		for (size_t at = 0; at < size_of(i); at++) damaged += piece[i][at] != i;
	printf("%d pieces were dirty, %d were damaged\n", dirty, damaged);
	for (int i = 0; i < count; i++) {
		if (i % 4 != 3) {
			piece[i] = realloc(piece[i], 5000);
			for (size_t at = 0; at < size_of(i); at++) kept &= piece[i][at] == i;
		}
		free(piece[i]);
	}
	printf("realloc keeps them: %d\n", kept);
	return 0;
}
