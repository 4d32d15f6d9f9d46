//@ modes: library O0 O2
//@ stdout: every answer was right, on 8192 bytes of stack
/* The first queries of the process, in a handler on a signal stack of the size that SIGSTKSZ had for decades. */
#include <allocs.h>
#include <signal.h>
#include <sys/mman.h>

#define STACK_SIZE 8192

struct item {
	struct item *next;
	char text[20];
};
struct undefined;
static struct item global;
static struct undefined **pointer;
static struct item *block;
static struct undefined **pointers;
static char *mapping;
static int *interrupted;
static int wrong;

static const char *type_name(void *p)
{
	return UNIQTYPE_NAME(alloc_get_type(p));
}

static const char *allocator_name(void *p)
{
	struct allocator *allocator = alloc_get_allocator(p);
	return allocator ? allocator->name : "none";
}

static void handler(int signal)
{
	int local = signal;
	char name[8];
	if (strcmp(type_name(&block->text), "__ARR0_item") || alloc_get_base(&block->text) != block) wrong |= 1;
	if (!alloc_get_precise_type(block) || !alloc_get_inner_type(block, 0)) wrong |= 2;
	if (strcmp(type_name(&global), "item") || alloc_get_size(&global) != sizeof global) wrong |= 4;
	if (!alloc_get_type(&pointer) || !alloc_get_type(pointers)) wrong |= 8;
	if (strcmp(allocator_name(&local), "stackframe")) wrong |= 16;
	if (strcmp(allocator_name(interrupted), "stackframe")) wrong |= 32;
	if (strcmp(allocator_name(mapping), "mmap") || !alloc_get_size(mapping)) wrong |= 64;
	if (!alloc_get_size((void *) printf)) wrong |= 128;
	alloc_get_name((void *) printf, name, sizeof name);
	alloc_get_name(mapping, name, sizeof name);
	alloc_get_name(handler, name, sizeof name);
	if (alloc_get_type((void *) ~0ul) || alloc_get_type((void *) 0x1234567890)) wrong |= 256;
}

int main(void)
{
	int local = 0;
	char *guarded = mmap(NULL, STACK_SIZE + 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	stack_t stack = { .ss_sp = guarded + 4096, .ss_size = STACK_SIZE };
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_ONSTACK };
	mprotect(stack.ss_sp, STACK_SIZE, PROT_READ | PROT_WRITE);
	mapping = mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	interrupted = &local;
	block = malloc(sizeof *block);
	pointers = malloc(4 * sizeof *pointers);
	sigaltstack(&stack, NULL);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	if (wrong) printf("wrong: %d\n", wrong);
	else puts("every answer was right, on 8192 bytes of stack");
	return 0;
}
