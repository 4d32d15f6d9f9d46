/* Statics of every kind, and frames that say themselves where their variables are. */
#include <stdio.h>
#include <stdlib.h>

int global = 3;
static long file_local;
const char *const names[] = { "alpha", "beta" };
struct flexible { int n; char text[]; } flexible = { 5, "hello" };
extern int declared_first[];
int declared_first[6] = { 1 };
_Thread_local int per_thread;
FILE **stream = &stdout;

static int counter(void)
{
  static int calls;
  { static short inner; ++inner; }
  return ++calls + (int) file_local++;
}

#define CFA ((char *) __builtin_frame_address(0) + 16)
#define REPORT(variable) printf("%s.%s %ld\n", __func__, #variable, (long) ((char *) &(variable) - CFA))

__attribute__((noinline)) int frame(int parameter, char *string)
{
  volatile int first = parameter;
  volatile double second[3] = { 1, 2, 3 };
  REPORT(first);
  REPORT(second);
  if (string) {
    volatile long nested = first;
    REPORT(nested);
  }
  return first + (int) second[1];
}

static inline __attribute__((always_inline)) int inlined(int n)
{
  volatile int from_inlined = n;
  printf("caller.from_inlined %ld\n", (long) ((char *) &from_inlined - CFA));
  return from_inlined;
}

__attribute__((noinline)) int caller(int n)
{
  volatile char own[16] = "x";
  REPORT(own);
  return inlined(n) + own[0];
}

int main(int argc, char **argv)
{
  fflush(stdout);
  return frame(argc, argv[0]) + caller(argc) + counter() + global + per_thread == 0 && *stream == 0;
}
