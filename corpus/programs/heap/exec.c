// A program that becomes another one, by vfork and exec, works; so does one that is run with an almost empty environment.
//@ cflags: -O1
//@ modes: plain library valgrind ulimit
//@ args: parent
//@ stdout: the child saw 3 arguments
//@ stdout: the child saw 3 arguments
//@ stdout: done
#define _DEFAULT_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc == 3) {
		char *copy = strdup(argv[1]);
		printf("the child saw %d arguments\n", argc);
		return strcmp(copy, "child") != 0;
	}
	for (int empty = 0; empty < 2; empty++) {
		char *environment[] = { "A=b", NULL }, *arguments[] = { argv[0], "child", "x", NULL };
		extern char **environ;
		pid_t child = vfork();
		if (child == 0) {
			execve(argv[0], arguments, empty ? environment : environ);
			_exit(127);
		}
		int status;
		if (waitpid(child, &status, 0) != child || status != 0) return 1;
	}
	puts("done");
	return 0;
}
