//@ modes: library O2 clang -O2,-flto
//@ with: words.c
//@ cc-so: trace.c
//@ env: LD_PRELOAD={dir}/libtrace.so:{stage}/lib/liballocs_preload.so
//@ cflags: -I{stage}/include -std=c11 -Wall -Wextra -Werror
//@ env: LIBALLOCS_ERR=/dev/null
//@ stderr: freed struct word, 44 bytes, from words.c:35 find
//@ stderr: freed struct word, 44 bytes, from words.c:35 find
//@ stderr: freed struct word *[8], 64 bytes, from words.c:24 words_new
//@ stderr: freed struct words[1], 32 bytes, from words.c:23 words_new
//@ stderr: live  struct line[1], 16 bytes, from words.c:51 words_add
//@ stderr: live  struct line[1], 16 bytes, from words.c:51 words_add
//@ stderr: live  struct line[1], 16 bytes, from words.c:51 words_add
/* A table of words is made and deleted; what nobody deletes lives on. */
#include "words.h"

int main(void)
{
	struct words *words = words_new(8);
	words_add(words, "cat", 1);
	words_add(words, "dog", 2);
	words_add(words, "cat", 3);
	words_delete(words);
	return 0;
}
