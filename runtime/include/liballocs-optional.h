/* Optional calls: how one binary runs both with and without the run-time library.
 *
 * Each query is a small function in the header. It fetches the address of the exported function from the global offset
 * table, and calls it if there is one. A weak declaration in C does not do: compilers and linkers fold its address to
 * NULL in an executable that is not position-independent, so that a library preloaded later would never be seen. The
 * load from the table below survives every such folding; only a static executable, into which nothing can be
 * preloaded, has NULL there.
 *
 * The function in the header has a symbol name of its own, so that it cannot be mistaken for the exported one. */
#ifndef LIBALLOCS_OPTIONAL_H_
#define LIBALLOCS_OPTIONAL_H_

#ifdef __cplusplus
#define LIBALLOCS_NULL_ nullptr
#else
#define LIBALLOCS_NULL_ ((void *) 0)
#endif

/* The address of the exported symbol `name`, or NULL. */
#define LIBALLOCS_ADDRESS_(variable, name) \
	__asm__(".weak " #name "\n\tmovq " #name "@GOTPCREL(%%rip), %0" : "=r"(variable))

/* Defines `name`, which calls the exported function of that name, or gives `absent` where there is none. */
#define LIBALLOCS_OPTIONAL_(result, name, parameters, arguments, absent) \
	static __inline__ __attribute__((__unused__)) result name parameters __asm__("liballocs.optional." #name); \
	static __inline__ result name parameters \
	{ \
		result (*exported_) parameters; \
		LIBALLOCS_ADDRESS_(exported_, name); \
		return exported_ ? exported_ arguments : absent; \
	}

/* The same for a function without a result. */
#define LIBALLOCS_OPTIONAL_VOID_(name, parameters, arguments) \
	static __inline__ __attribute__((__unused__)) void name parameters __asm__("liballocs.optional." #name); \
	static __inline__ void name parameters \
	{ \
		void (*exported_) parameters; \
		LIBALLOCS_ADDRESS_(exported_, name); \
		if (exported_) exported_ arguments; \
	}

/* Defines a function that gives the address of the exported object `name`, or NULL. */
#define LIBALLOCS_OBJECT_(type, name) \
	static __inline__ __attribute__((__unused__)) type *liballocs_object_##name(void) \
	{ \
		type *object_; \
		LIBALLOCS_ADDRESS_(object_, name); \
		return object_; \
	}

/* Code that is not position-independent must reach the library's objects through the table too. There, each
 * object's name is a macro; elsewhere it is a weak declaration, which the compiler takes through the table itself. */
#if !defined(__PIC__) && !defined(__PIE__)
#define LIBALLOCS_OBJECTS_ARE_MACROS_ 1
#endif

#endif
