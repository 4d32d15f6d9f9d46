/* Linked into a program that prints how long it took: a clock that goes on by a millisecond each time somebody looks. */
#include <stddef.h>
#include <sys/time.h>
#include <time.h>

static long milliseconds;

int clock_gettime(clockid_t id, struct timespec *now)
{
	(void) id;
	milliseconds++;
	now->tv_sec = 1500000000 + milliseconds / 1000;
	now->tv_nsec = milliseconds % 1000 * 1000000;
	return 0;
}

int gettimeofday(struct timeval *__restrict now, void *__restrict zone)
{
	struct timespec time;
	(void) zone;
	clock_gettime(CLOCK_REALTIME, &time);
	now->tv_sec = time.tv_sec;
	now->tv_usec = time.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *now)
{
	struct timespec time;
	clock_gettime(CLOCK_REALTIME, &time);
	if (now) *now = time.tv_sec;
	return time.tv_sec;
}

clock_t clock(void)
{
	return ++milliseconds * (CLOCKS_PER_SEC / 1000);
}
