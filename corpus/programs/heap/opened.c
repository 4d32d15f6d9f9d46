// Opened by dlopen the library takes no part, but whoever asks it for its malloc gets one that works.
//@ cflags: -O1
//@ modes: plain
//@ args: {stage}/lib/liballocs_preload.so
//@ stdout: malloc and free of the C library: 1
//@ stdout: strdup: text
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	void *library = dlopen(argv[1], RTLD_NOW);
	void *(*theirs)(size_t) = (void *(*)(size_t)) dlsym(library, "malloc");
	void (*their_free)(void *) = (void (*)(void *)) dlsym(library, "free");
	char *(*duplicate)(const char *) = (char *(*)(const char *)) dlsym(library, "strdup");
	void *p = theirs(100);
	free(p);
	their_free(malloc(100));
	printf("malloc and free of the C library: %d\n", p != NULL && theirs != malloc);
	p = duplicate("text");
	printf("strdup: %s\n", (char *) p);
	free(p);
	return 0;
}
