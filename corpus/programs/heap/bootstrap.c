// dlsym of an old glibc allocates. What it gets while the library looks for the real malloc is memory like any other.
//@ cflags: -O1 -fno-builtin -rdynamic
//@ modes: plain library
//@ stdout: dlsym allocated: 1
//@ stdout: 0 pieces were dirty, 0 were damaged
//@ stdout: realloc keeps them: 1
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECES = 12 };

static unsigned char *piece[PIECES];
static int count, dirty;

void *(*real_dlsym)(void *, const char *);

static size_t size_of(int i) { return 8 + 25 * (size_t) i; }

/* Called before the real dlsym, whose caller must stay the one that it sees. */
__attribute__((used)) void before_dlsym(void)
{
	if (!real_dlsym) real_dlsym = (void *(*)(void *, const char *)) dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.2.5");
	if (count == PIECES) return;
	int i = count++;
	piece[i] = i % 2 ? calloc(1, size_of(i)) : malloc(size_of(i));
	for (size_t at = 0; i % 2 && at < size_of(i); at++) dirty += piece[i][at] != 0;
	memset(piece[i], i, size_of(i));
	if (i % 3 == 0) free(malloc(10));
}

__asm__(".text\n"
	".globl dlsym\n"
	".type dlsym, @function\n"
	"dlsym:\n"
	"	push %rdi\n"
	"	push %rsi\n"
	"	sub $8, %rsp\n"
	"	call before_dlsym\n"
	"	add $8, %rsp\n"
	"	pop %rsi\n"
	"	pop %rdi\n"
	"	jmp *real_dlsym(%rip)\n"
	".size dlsym, . - dlsym\n");

int main(void)
{
	int damaged = 0, kept = 1;
	dlsym(RTLD_DEFAULT, "malloc");
	printf("dlsym allocated: %d\n", count > 0);
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
