#include <allocs.h>

struct uniqtype *named(void)
{
	return &__uniqtype__int;
}

__attribute__((constructor)) static void construct(void)
{
	if (!alloc_get_allocator(&(int){ 0 })) return;
	printf("the plug-in's constructor: %s\n", named() == dlsym(RTLD_DEFAULT, "__uniqtype__int") ? "the same" : "wrong");
}
