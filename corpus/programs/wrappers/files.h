/* The functions of the libraries of files.c. */
#include <stddef.h>

void *lib_make(void);
void *lib_wrapper(size_t n);
void *foreign_call(void *(*function)(void));
void *foreign_make(void *(*wrapper)(size_t));
void *foreign_wrapper(size_t n);
