/* Allocates and frees as many blocks as its argument says: sizes from 16 to 512 bytes, 256 blocks alive. */
#include <stdlib.h>

int main(int argc, char **argv)
{
	static void *alive[256];
	unsigned long pairs = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	unsigned random = 1;
	for (unsigned long i = 0; i < pairs; i++) {
		random = random * 1103515245 + 12345;
		free(alive[i % 256]);
		alive[i % 256] = malloc(16 + (random >> 16) % 497);
	}
	for (unsigned i = 0; i < 256; i++)
		free(alive[i]);
	return 0;
}
