/* Loaded files. */
#ifndef RELF_H_
#define RELF_H_

#include "liballocs-optional.h"

#ifdef __cplusplus
extern "C" {
#endif

/* dladdr with parts: path and start of the file that holds `addr`, name and start of the symbol. Unlike dladdr it
 * knows `static` functions and variables. Any out pointer may be NULL. Non-zero if the file is known. */
LIBALLOCS_OPTIONAL_(int, fake_dladdr, (void *addr_, const char **file_, void **file_base_, const char **symbol_, void **symbol_base_),
	(addr_, file_, file_base_, symbol_, symbol_base_), 0)

#ifdef __cplusplus
}
#endif
#endif
