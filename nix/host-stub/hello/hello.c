#include <stdio.h>
#include <stdlib.h>

struct greeting {
	const char *word;
	int count;
};

int main(void)
{
	struct greeting *greeting = malloc(sizeof *greeting);
	if (!greeting)
		return 1;
	*greeting = (struct greeting){ "Hello, world!", 1 };
	for (int i = 0; i < greeting->count; ++i)
		puts(greeting->word);
	free(greeting);
	return 0;
}
