//@ modes: library strip clang O0 O2 valgrind ulimit
//@ stdout: At 0x[[re:[0-9a-f]+]] is a static-allocated object of size [[re:[0-9]+]], type __FUN_FROM___ARG0_int$32__ARG1___PTR___PTR_signed_char$8__FUN_TO_int$32
//@ stdout: At 0x[[re:[0-9a-f]+]] is a generic malloc-allocated object of size 168, type __ARR0_int$32
//@ stdout: At 0x[[re:[0-9a-f]+]] is a stackframe-allocated object of size [[re:[0-9]+]], type readme_c_main_vaddrs_0x[[re:[0-9a-f]+]]_0x[[re:[0-9a-f]+]]
//@ stdout: At 0x[[re:[0-9a-f]+]] is a auxv-allocated object of size 16, type __ARR2___PTR_signed_char$8
#include <allocs.h>
#include <stdio.h>
int main(int argc, char **argv)
{
  void *p = malloc(42 * sizeof(int));
  void *ptrs[] = { main, p, &p, argv, NULL };
  for (void **x = &ptrs[0]; *x; ++x)
    printf("At %p is a %s-allocated object of size %u, type %s\n", *x, alloc_get_allocator(*x)->name,
      (unsigned) alloc_get_size(*x), UNIQTYPE_NAME(alloc_get_type(*x)));
  return 0;
}
