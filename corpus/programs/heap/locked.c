// A program that locks its memory does not lock what the library reserves.
//@ cflags: -O1
//@ stdout: resident memory stays small: 1
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int main(void)
{
	long kilobytes = 0;
	char line[200];
	/* Without the privilege it fails, and there is nothing to see. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) perror("mlockall");
	for (int i = 0; i < 100; i++) memset(malloc(1000), 1, 1000);
	FILE *status = fopen("/proc/self/status", "r");
	while (status && fgets(line, sizeof line, status)) sscanf(line, "VmRSS: %ld", &kilobytes);
	printf("resident memory stays small: %d\n", kilobytes > 0 && kilobytes < 100000);
	return 0;
}
