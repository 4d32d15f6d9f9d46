// The census counts each successful call once, with the bytes asked for: freed ones, and failed ones not at all.
//@ cflags: -O1 -fno-builtin -w
//@ modes: library
//@ stdout: {"summary":{"allocations":13,"bytes":200775,[[...]]}}
//@ stdout: live 2 blocks, 111 bytes
#define _GNU_SOURCE
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void allocate(void)
{
	void *p = malloc(100);                 // 1: 100
	p = realloc(p, 200000);                // 2: 200000
	p = realloc(p, 11);                    // 3: 11, stays live
	malloc(PTRDIFF_MAX);
	realloc(p, PTRDIFF_MAX);
	calloc(SIZE_MAX, 2);
	free(calloc(10, 20));                  // 4: 200
	free(reallocarray(NULL, 3, 5));        // 5: 15
	free(memalign(64, 30));                // 6: 30
	free(aligned_alloc(64, 128));          // 7: 128
	void *q;
	posix_memalign(&q, 64, 50);            // 8: 50
	realloc(q, 0);
	posix_memalign(&q, 3, 50);
	free(valloc(60));                      // 9: 60
	free(pvalloc(70));                     // 10: 70
	free(strdup("1234567"));               // 11: 8
	free(strndup("12345", 2));             // 12: 3, below
	memset(malloc(100), 0, 100);           // 13: 100, stays live
}

int main(int argc, char **argv)
{
	char file[100];
	snprintf(file, sizeof file, "/tmp/census.%d", (int) getpid());
	if (argc == 2) {
		allocate();
		return 0;
	}
	pid_t child = fork();
	if (child == 0) {
		setenv("LIBALLOCS_CENSUS", file, 1);
		sprintf(file, "/tmp/census.%d", (int) getppid());
		setenv("LIBALLOCS_CENSUS", file, 1);
		execl(argv[0], argv[0], "child", (char *) NULL);
		_exit(127);
	}
	int status;
	waitpid(child, &status, 0);
	FILE *census = fopen(file, "r");
	if (!census) return 1;
	char line[1000];
	unsigned long live = 0, live_bytes = 0;
	while (fgets(line, sizeof line, census)) {
		unsigned long blocks, bytes;
		char *at = strstr(line, "\"live\":");
		if (at && sscanf(at, "\"live\":%lu,\"live_bytes\":%lu", &blocks, &bytes) == 2) {
			live += blocks;
			live_bytes += bytes;
		}
	}
	printf("%slive %lu blocks, %lu bytes\n", line, live, live_bytes);
	unlink(file);
	return status;
}
