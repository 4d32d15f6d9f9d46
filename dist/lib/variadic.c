/* liballocs.a: the two functions that take types as further arguments, for what declares them itself. The library knows
 * them with an array instead. See liballocs.s. */
#include <stdarg.h>
#include <stddef.h>

enum { MOST = 64 };
struct uniqtype;
typedef struct uniqtype *make_union(unsigned n, struct uniqtype **members);
typedef struct uniqtype *make_subprogram(struct uniqtype *result, unsigned narg, struct uniqtype **args);
extern make_union *const __liballocs_pointer_to___liballocs_make_union_type __attribute__((weak));
extern make_subprogram *const __liballocs_pointer_to___liballocs_make_subprogram_type __attribute__((weak));

#define GATHER(n, types) \
	do { \
		va_list list_; \
		va_start(list_, n); \
		for (unsigned i_ = 0; i_ < (n); ++i_) (types)[i_] = va_arg(list_, struct uniqtype *); \
		va_end(list_); \
	} while (0)

__attribute__((weak)) struct uniqtype *__liballocs_get_or_create_union_type(unsigned n, ...)
{
	struct uniqtype *members[MOST];
	if (!&__liballocs_pointer_to___liballocs_make_union_type || n > MOST) return NULL;
	GATHER(n, members);
	return __liballocs_pointer_to___liballocs_make_union_type(n, members);
}

__attribute__((weak)) struct uniqtype *__liballocs_get_or_create_subprogram_type(struct uniqtype *result, unsigned narg, ...)
{
	struct uniqtype *args[MOST];
	if (!&__liballocs_pointer_to___liballocs_make_subprogram_type || narg > MOST) return NULL;
	GATHER(narg, args);
	return __liballocs_pointer_to___liballocs_make_subprogram_type(result, narg, args);
}
