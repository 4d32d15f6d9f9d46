//@ modes: library O2 clang -O2,-flto
//@ with: words.c
//@ cc-so: leaks.c
//@ env: LD_PRELOAD={dir}/libleaks.so:{stage}/lib/liballocs_preload.so
//@ cflags: -I{stage}/include -std=c11 -Wall -Wextra -Werror
//@ env: LIBALLOCS_ERR=/dev/null
//@ stdout: cat 1
//@ stdout: dog 1
//@ stdout: the 2
//@ stderr: leaked: 80 bytes in 5 of struct line[] from words.c:51 words_add
//@ stderr: leaked: 45 bytes in 1 of struct word from words.c:35 find
//@ stderr: leaked: 32 bytes in 1 of struct words[] from words.c:23 words_new
//@ stderr: leaked: 32 bytes in 1 of struct word *[] from words.c:24 words_new
/* Two leaks: the lines of a table that is deleted, and a table that is forgotten; a third is kept. */
#include "words.h"

static struct words *kept;

static void add_all(struct words *words)
{
	static const char *const text[] = { "the", "cat", "the", "dog" };
	for (unsigned i = 0; i < 4; ++i) words_add(words, text[i], i);
}

int main(void)
{
	struct words *deleted = words_new(8);
	add_all(deleted);
	words_delete(deleted);
	struct words *forgotten = words_new(4);
	words_add(forgotten, "lost", 1);
	kept = words_new(16);
	add_all(kept);
	words_print(kept->root);
	return 0;
}
