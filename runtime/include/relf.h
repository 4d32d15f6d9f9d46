/* Loaded files. */
#ifndef RELF_H_
#define RELF_H_

#include "liballocs-optional.h"

#ifdef __cplusplus
extern "C" {
#endif

/* dladdr with parts: path and start of the file that holds `addr`, any address, in `*file` and `*file_base`, name and
 * start of the symbol in `*symbol` and `*symbol_base`. Unlike dladdr it knows `static` functions and variables. Any
 * out pointer may be NULL. 1 if the file is known, and then NULL for a symbol that is not; else 0, and nothing is
 * written. A name of a symbol may be part of the file: copy it if that may be unloaded. Otherwise the rules at the
 * top of liballocs.h hold. */
LIBALLOCS_OPTIONAL_(int, fake_dladdr, (void *addr_, const char **file_, void **file_base_, const char **symbol_, void **symbol_base_),
	(addr_, file_, file_base_, symbol_, symbol_base_), 0)

#ifdef __cplusplus
}
#endif
#endif
