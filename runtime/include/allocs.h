/* Ask any address of the running program which allocator, type, base, size and allocation site it has.
 * The same as liballocs.h. */
#ifndef ALLOCS_H_
#define ALLOCS_H_
#include "liballocs.h"
#endif
