//@ modes: library O0 O2 -fomit-frame-pointer,-O1 -no-pie,-fno-pie clang
//@ stdout: own frame: stackframe
//@ stdout: a caller's variable: stackframe, its type ends with its function's range
//@ stdout: through qsort: stackframe
//@ stdout: in a signal handler: stackframe
//@ stdout: on a signal stack: stackframe
//@ stdout: 100 deep: stackframe
//@ stdout: frames walked: more than one
//@ stdout: below the stack: not a frame
/* Variables on the calling thread's stack, through other people's frames and signals. */
#include <allocs.h>
#include <signal.h>

static int sink;

__attribute__((noinline)) static const char *allocator_of(void *p)
{
	struct allocator *a = alloc_get_allocator(p);
	return a ? a->name : "(none)";
}

__attribute__((noinline)) static void look_up(int *variable)
{
	const char *name = UNIQTYPE_NAME(alloc_get_type(variable));
	printf("a caller's variable: %s, its type %s\n", allocator_of(variable),
		name && strstr(name, "frames_c_caller_vaddrs_0x") == name ? "ends with its function's range" : "is another");
	sink += *variable;
}

__attribute__((noinline)) static void caller(void)
{
	int variable = 3;
	look_up(&variable);
	sink += variable;
}

static int *volatile watched;
static const char *answer;

static int compare(const void *a, const void *b)
{
	answer = allocator_of(watched);
	return *(const int *) a - *(const int *) b;
}

static void handler(int signal)
{
	sink += signal;
	answer = allocator_of(watched);
}

__attribute__((noinline)) static void deep(int n)
{
	volatile char pad[40];
	pad[0] = (char) n;
	if (n)
		deep(n - 1);
	else
		answer = allocator_of(watched);
	sink += pad[0];
}

static int count_frames(void *ip, void *sp, void *bp, void *arg)
{
	(void) bp;
	int *n = arg;
	if (ip && sp) ++*n;
	return 0;
}

int main(void)
{
	int numbers[4] = { 4, 3, 2, 1 };
	watched = &numbers[2];
	printf("own frame: %s\n", allocator_of(&numbers[1]));
	caller();
	qsort(numbers, 4, sizeof (int), compare);
	printf("through qsort: %s\n", answer);
	signal(SIGUSR1, handler);
	raise(SIGUSR1);
	printf("in a signal handler: %s\n", answer);
	static char stack[65536];
	stack_t alternative = { .ss_sp = stack, .ss_size = sizeof stack };
	sigaltstack(&alternative, NULL);
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_ONSTACK };
	sigaction(SIGUSR2, &action, NULL);
	raise(SIGUSR2);
	printf("on a signal stack: %s\n", answer);
	deep(100);
	printf("100 deep: %s\n", answer);
	int frames = 0;
	__liballocs_walk_stack(count_frames, &frames);
	printf("frames walked: %s\n", frames > 1 ? "more than one" : "too few");
	char *below = (char *) numbers - 1024;
	printf("below the stack: %s\n", strcmp(allocator_of(below), "stackframe") ? "not a frame" : "a frame");
	return sink == 12345;
}
