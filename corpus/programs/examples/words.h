/* Counts words: a hash table with chains, whose entries also form a tree by name. */
#include <stddef.h>

struct line {
	struct line *next;
	unsigned number;
};

struct word {
	struct word *next; /* in the chain */
	struct word *left, *right; /* in the tree */
	struct line *lines; /* the last one first */
	unsigned count;
	char text[];
};

struct words {
	struct word **buckets;
	size_t bucket_count, word_count;
	struct word *root;
};

struct words *words_new(size_t bucket_count);
struct word *words_add(struct words *words, const char *text, unsigned line);
void words_print(const struct word *word);
void words_delete(struct words *words);
