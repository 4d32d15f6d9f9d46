//@ cflags: -pthread
//@ modes: library O0 O2 clang
//@ stdout: in the outer one: own frame stackframe, its caller's stackframe of enter
//@ stdout: in the inner one: own frame stackframe, its caller's stackframe of enter
//@ stdout: the outer one's from the inner one: mmap, that of main stack
//@ stdout: in the outer one again: own frame stackframe, its caller's stackframe of enter
//@ stdout: the inner one's from the outer one: mmap
//@ stdout: both from main: mmap mmap, own frame stackframe
//@ stdout: resumed by another thread: own frame stackframe, its caller's stackframe of enter
//@ stdout: the thread's from there: stack
//@ stdout: on a new stack: own frame stackframe, its caller's stackframe of enter
//@ stdout: on a smaller stack in the same place: own frame stackframe, its caller's stackframe of enter
//@ stdout: what was the old one's: mmap, from its own start
/* Coroutines on stacks that the program mapped: frames are those of the one that runs. */
#include <allocs.h>
#include <pthread.h>
#include <sys/mman.h>
#include <ucontext.h>

#define SIZE 131072
static ucontext_t in_main, in_outer, in_inner;
static int *of_main, *of_outer, *of_inner;
static char *stack_of_outer, *stack_of_inner;

__attribute__((noinline)) static const char *allocator_of(void *p)
{
	struct allocator *allocator = alloc_get_allocator(p);
	return allocator ? allocator->name : "none";
}

__attribute__((noinline)) static void report(const char *where, int *callers)
{
	volatile int local = 0;
	const char *type = UNIQTYPE_NAME(alloc_get_type(callers));
	printf("%s: own frame %s, its caller's %s", where, allocator_of((void *) &local), allocator_of(callers));
	puts(type && !strncmp(type, "coroutines_c_enter_", 19) ? " of enter" : " of another");
}

static void outer(void);
static void inner(void);

__attribute__((noinline)) static void enter(const char *where, int **mine, ucontext_t *self, ucontext_t *next)
{
	volatile int local = 0;
	*mine = (int *) &local;
	report(where, *mine);
	swapcontext(self, next);
	if (mine == &of_outer) report("in the outer one again", *mine);
	if (mine == &of_outer) printf("the inner one's from the outer one: %s\n", allocator_of(of_inner));
	local = 1;
}

static void outer(void)
{
	enter("in the outer one", &of_outer, &in_outer, &in_inner);
}

static void inner(void)
{
	enter("in the inner one", &of_inner, &in_inner, &in_inner);
	printf("the outer one's from the inner one: %s, that of main %s\n", allocator_of(of_outer), allocator_of(of_main));
	swapcontext(&in_inner, &in_outer);
	enter("resumed by another thread", &of_inner, &in_inner, &in_inner);
	printf("the thread's from there: %s\n", allocator_of(of_main));
}

static void whole(void)
{
	enter("on a new stack", &of_inner, &in_inner, &in_inner);
}

static void small(void)
{
	enter("on a smaller stack in the same place", &of_inner, &in_inner, &in_inner);
	char *next = stack_of_inner + SIZE / 2;
	printf("what was the old one's: %s, ", allocator_of(next + 64));
	puts(alloc_get_base(next + 64) == next ? "from its own start" : "from elsewhere");
}

static void make(ucontext_t *context, char *stack, size_t size, void (*function)(void), ucontext_t *then)
{
	getcontext(context);
	context->uc_stack.ss_sp = stack;
	context->uc_stack.ss_size = size;
	context->uc_link = then;
	makecontext(context, function, 0);
}

/* Apart from each other and from anything else, as the kernel sees it. */
static char *map(void)
{
	char *start = mmap(NULL, SIZE + 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(start + 4096, SIZE, PROT_READ | PROT_WRITE);
	return start + 4096;
}

static void *resume(void *arg)
{
	volatile int local = 0;
	of_main = (int *) &local;
	swapcontext(&in_main, &in_inner);
	return arg;
}

int main(void)
{
	volatile int local = 0;
	pthread_t thread;
	of_main = (int *) &local;
	stack_of_outer = map();
	stack_of_inner = map();
	make(&in_outer, stack_of_outer, SIZE, outer, &in_main);
	make(&in_inner, stack_of_inner, SIZE, inner, &in_main);
	swapcontext(&in_main, &in_outer);
	printf("both from main: %s %s, ", allocator_of(of_outer), allocator_of(of_inner));
	printf("own frame %s\n", allocator_of(of_main));
	pthread_create(&thread, NULL, resume, NULL);
	pthread_join(thread, NULL);

	make(&in_inner, stack_of_inner, SIZE, whole, &in_main);
	swapcontext(&in_main, &in_inner);
	/* The same place holds two mappings now. */
	mprotect(stack_of_inner + SIZE / 2, SIZE / 2, PROT_READ);
	make(&in_inner, stack_of_inner, SIZE / 2, small, &in_main);
	swapcontext(&in_main, &in_inner);
	return 0;
}
