//@ modes: plain library O2 clang
//@ with: graph.c words.c
//@ cflags: -I{stage}/include -std=c11 -Wall -Wextra -Werror
//@ env: LIBALLOCS_ERR=/dev/null
//@ stdout: digraph objects {
//@ stdout: 	n0 [label="struct words[1]"];
//@ stdout: 	n1 [label="struct word *[4]"];
//@ stdout: 	n0 -> n1 [label=".buckets"];
//@ stdout: 	n2 [label="struct word"];
//@ stdout: 	n0 -> n2 [label=".root"];
//@ stdout: 	n1 -> n2 [label="[0]"];
//@ stdout: 	n3 [label="struct word"];
//@ stdout: 	n1 -> n3 [label="[1]"];
//@ stdout: 	n4 [label="struct word"];
//@ stdout: 	n1 -> n4 [label="[3]"];
//@ stdout: 	n2 -> n4 [label=".left"];
//@ stdout: 	n5 [label="struct line[1]"];
//@ stdout: 	n2 -> n5 [label=".lines"];
//@ stdout: 	n6 [label="struct line[1]"];
//@ stdout: 	n3 -> n6 [label=".lines"];
//@ stdout: 	n4 -> n3 [label=".right"];
//@ stdout: 	n7 [label="struct line[1]"];
//@ stdout: 	n4 -> n7 [label=".lines"];
//@ stdout: 	n8 [label="struct line[1]"];
//@ stdout: 	n5 -> n8 [label=".next"];
//@ stdout: }
//@ plain-stdout: digraph objects {
//@ plain-stdout: }
/* The graph of a table of words. */
#include "graph.h"
#include "words.h"
#include <string.h>

int main(void)
{
	static const char *const text[] = { "the", "cat", "the", "dog" };
	struct words *words = words_new(4);
	for (unsigned i = 0; i < 4; ++i) words_add(words, text[i], i + 1);
	graph_write(stdout, words);
	return 0;
}
