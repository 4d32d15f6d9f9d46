//@ modes: library O0 O2
//@ stdout: a stack in a static: stackframe
//@ stdout: a stack in a heap block: stackframe
//@ stdout: a heap block from there: generic malloc
//@ stdout: the resumer's variable from there: stack
/* Stacks that the program made itself. */
#include <allocs.h>
#include <ucontext.h>

static ucontext_t back, there;
static char stack_in_static[65536];
static int *block, *outer;
static const char *where;

__attribute__((noinline)) static const char *allocator_of(void *p)
{
	return alloc_get_allocator(p)->name;
}

static void body(void)
{
	volatile int local = 1;
	printf("%s: %s\n", where, allocator_of((void *) &local));
	if (!strstr(where, "heap")) return;
	printf("a heap block from there: %s\n", allocator_of(block));
	printf("the resumer's variable from there: %s\n", allocator_of(outer));
}

static void run(char *stack, const char *name)
{
	int mine = 2;
	outer = &mine;
	where = name;
	getcontext(&there);
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = 65536;
	there.uc_link = &back;
	makecontext(&there, body, 0);
	swapcontext(&back, &there);
}

int main(void)
{
	char *stack_in_heap = malloc(65536);
	block = malloc(4 * sizeof (int));
	run(stack_in_static, "a stack in a static");
	run(stack_in_heap, "a stack in a heap block");
	free(stack_in_heap);
	free(block);
	return 0;
}
