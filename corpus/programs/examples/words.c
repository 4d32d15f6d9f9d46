/* The words of words.h. Like much code it allocates through a function of its own. */
#include "words.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *allocate(size_t size)
{
	void *p = calloc(1, size);
	if (!p) abort();
	return p;
}

static unsigned hash(const char *text)
{
	unsigned h = 2166136261u;
	while (*text) h = (h ^ (unsigned char) *text++) * 16777619u;
	return h;
}

struct words *words_new(size_t bucket_count)
{
	struct words *words = allocate(sizeof *words);
	words->buckets = allocate(bucket_count * sizeof (struct word *));
	words->bucket_count = bucket_count;
	return words;
}

static struct word *find(struct words *words, const char *text)
{
	struct word **bucket = &words->buckets[hash(text) % words->bucket_count], *word = *bucket;
	while (word && strcmp(word->text, text)) word = word->next;
	if (word) return word;

	word = allocate(sizeof (struct word) + strlen(text) + 1);
	strcpy(word->text, text);
	word->next = *bucket;
	*bucket = word;
	struct word **place = &words->root;
	while (*place) place = strcmp(text, (*place)->text) < 0 ? &(*place)->left : &(*place)->right;
	*place = word;
	++words->word_count;
	return word;
}

struct word *words_add(struct words *words, const char *text, unsigned line)
{
	struct word *word = find(words, text);
	++word->count;
	if (!word->lines || word->lines->number != line) {
		struct line *last = allocate(sizeof (struct line));
		last->number = line;
		last->next = word->lines;
		word->lines = last;
	}
	return word;
}

void words_print(const struct word *word)
{
	if (!word) return;
	words_print(word->left);
	printf("%s %u\n", word->text, word->count);
	words_print(word->right);
}

/* Forgets the lines. */
void words_delete(struct words *words)
{
	for (size_t i = 0; i < words->bucket_count; ++i) {
		for (struct word *word = words->buckets[i], *next; word; word = next) {
			next = word->next;
			free(word);
		}
	}
	free(words->buckets);
	free(words);
}
