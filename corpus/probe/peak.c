/* Notes the peak of resident memory of a process, in KiB: what wait4 reports includes the process that started it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__((destructor)) static void report(void)
{
	char status[4096] = "";
	const char *path = getenv("ALLOCS_WATCH"), *peak;
	int in = open("/proc/self/status", O_RDONLY);
	int out = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666) : -1;
	if (in >= 0 && out >= 0 && read(in, status, sizeof status - 1) > 0 && (peak = strstr(status, "VmHWM:")))
		dprintf(out, "%d\n", atoi(peak + strlen("VmHWM:")));
}
