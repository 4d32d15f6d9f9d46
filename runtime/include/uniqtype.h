/* The types of a running program. The same as uniqtype-defs.h. */
#ifndef UNIQTYPE_H_
#define UNIQTYPE_H_
#include "uniqtype-defs.h"
#endif
