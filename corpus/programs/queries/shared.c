// One type is one address in any number of files, and a struct that one file only declares is the one that another defines.
//@ so: shared_other.c
//@ args: {dir}/libshared_other.so
//@ modes: library
//@ stdout: the same struct: one address
//@ stdout: the same array: one address
//@ stdout: the same function type: one address
//@ stdout: another struct of the same tag: another address
//@ stdout: opaque is defined in the other file: 12 bytes
//@ stdout: a pointer to it: one address
//@ stdout: nowhere defined: unknown_to_all
//@ stdout: a static of the other file: common_list static 16
//@ stdout: a frame of the other file: stackframe
//@ stdout: still there when the file is gone: opaque 12
#include <allocs.h>

struct list {
	struct list *next;
	long value;
};
struct clash {
	int mine;
};
struct opaque;
struct unknown_to_all;

struct list my_list;
int my_array[5];
struct clash my_clash;
struct opaque *my_opaque;
struct unknown_to_all *my_unknown;

int add(int a, int b)
{
	return a + b + (int) my_list.value + my_array[0] + my_clash.mine + (my_opaque != NULL) + (my_unknown != NULL);
}

static const char *frame_of(void *variable)
{
	return alloc_get_allocator(variable)->name;
}

static const char *same(void *a, void *b)
{
	struct uniqtype *t = alloc_get_type(a), *u = alloc_get_type(b);
	return !t || !u ? "unknown" : t == u ? "one address" : "another address";
}

int main(int argc, char **argv)
{
	if (argc != 2) return 1;
	void *file = dlopen(argv[1], RTLD_NOW);
	if (!file) return puts(dlerror()), 1;
	printf("the same struct: %s\n", same(&my_list, dlsym(file, "common_list")));
	printf("the same array: %s\n", same(my_array, dlsym(file, "other_array")));
	printf("the same function type: %s\n", same((void *) add, dlsym(file, "subtract")));
	printf("another struct of the same tag: %s\n", same(&my_clash, dlsym(file, "other_clash")));
	struct uniqtype *opaque = UNIQTYPE_POINTEE_TYPE(alloc_get_type(&my_opaque));
	printf("opaque is defined in the other file: %u bytes\n", opaque->pos_maxoff);
	printf("a pointer to it: %s\n", same(&my_opaque, dlsym(file, "other_opaque")));
	printf("nowhere defined: %s\n", UNIQTYPE_NAME(UNIQTYPE_POINTEE_TYPE(alloc_get_type(&my_unknown))));
	char name[64];
	void *list = dlsym(file, "common_list");
	printf("a static of the other file: %s %s %lu\n", alloc_get_name(list, name, sizeof name),
		alloc_get_allocator(list)->name, alloc_get_size(list));
	const char *(*call)(const char *(*)(void *)) = (const char *(*)(const char *(*)(void *))) dlsym(file, "call_with_local");
	printf("a frame of the other file: %s\n", call(frame_of));
	dlclose(file);
	printf("still there when the file is gone: %s %u\n", UNIQTYPE_NAME(opaque), opaque->pos_maxoff);
	return add(0, 0);
}
