// A census says of each allocation of unknown type why it is unknown.
//@ cflags: -g
//@ cc-so: reasons_foreign.c
//@ ldflags: -L{dir} -lreasons_foreign -Wl,-rpath,$ORIGIN
//@ modes: library O2 clang
//@ stdout: 600 no metadata: libreasons_foreign.so
//@ stdout: 500 behind more wrappers than are looked through
//@ stdout: 100 the size is no sizeof, and the result goes to void *
//@ stdout: 200 a branch of the size names no type, beside one that names: struct two
//@ stdout: 300 the size is no sizeof, and the result is passed to a function without source: send_away
//@ stdout: 400 the size is no sizeof, and the result goes to a type that the file does not define: struct hidden *
#include "../census_of_child.h"
#include "wrappers.h"

struct hidden;
void allocate_in_a_library(void *(*get)(size_t));
__attribute__((weak)) void send_away(void *);

void *volatile untyped;
struct hidden *volatile hidden;
volatile size_t size;

WRAPPER void *w0(size_t n) { void *p = malloc(n); touch(p); return p; }
WRAPPER void *w1(size_t n) { void *p = w0(n); touch(p); return p; }
WRAPPER void *w2(size_t n) { void *p = w1(n); touch(p); return p; }
WRAPPER void *w3(size_t n) { void *p = w2(n); touch(p); return p; }
WRAPPER void *w4(size_t n) { void *p = w3(n); touch(p); return p; }
WRAPPER void *w5(size_t n) { void *p = w4(n); touch(p); return p; }
WRAPPER void *w6(size_t n) { void *p = w5(n); touch(p); return p; }
WRAPPER void *w7(size_t n) { void *p = w6(n); touch(p); return p; }
WRAPPER void *w8(size_t n) { void *p = w7(n); touch(p); return p; }
WRAPPER void *w9(size_t n) { void *p = w8(n); touch(p); return p; }

__attribute__((noinline)) static void allocate(void)
{
	size = 100;
	untyped = malloc(size);
	size = 200;
	untyped = malloc(size < 100 ? sizeof(struct two) : size);
	size = 300;
	void *sent = malloc(size);
	if (send_away) send_away(sent);
	touch(sent);
	size = 400;
	hidden = malloc(size);
	size = 500;
	struct one *one = w9(size);
	touch(one);
	allocate_in_a_library(w0);
	allocate_in_a_library(w0);
}

/* Prints the bytes and the reason of a line of the census that has one. */
static void print(const char *line)
{
	const char *reason = strstr(line, "\"reason\":\"");
	const char *bytes = strstr(line, "\"total_bytes\":");
	if (!reason || !bytes) return;
	reason += strlen("\"reason\":\"");
	printf("%d %.*s\n", atoi(bytes + strlen("\"total_bytes\":")), (int)strcspn(reason, "\""), reason);
}

int main(int argc, char **argv)
{
	return census_of_child(argc, argv, allocate, "reasons", print);
}
