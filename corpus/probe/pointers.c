/*
 * Asks of each typed pointer in each live object at exit whether what it points to has the type that it says, through the
 * public queries only.
 *
 * Preloaded after the library. It writes to the file that ALLOCS_WATCH names, first a line for each pointer that is
 * inconsistent or points nowhere:
 *   relation TAB where TAB type-pointed-to TAB type-found TAB site-of-the-slot's-block TAB site-of-the-target's-block
 * then the counts of the other relations:
 *   relation TAB count
 * Sites are addresses in the program's file, in decimal, 0 if there is none. Nothing depends on addresses in memory.
 */
#define _GNU_SOURCE
#include <allocs.h>
#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#define RELATIONS(X) \
	/* Not asked. */ \
	X(IS_NULL, "null") \
	X(TO_VOID, "void") \
	X(TO_CHARACTERS, "characters") \
	X(TO_OPAQUE, "opaque type") \
	X(TO_UNTYPED, "to an untyped block") \
	X(TO_FOREIGN_CODE, "to a function without metadata") \
	/* Consistent. */ \
	X(SAME, "the object") \
	X(INTERIOR, "inside an object") \
	X(FIRST_MEMBER, "first member") \
	X(CONTAINER, "larger struct that begins so") \
	X(PREFIX, "struct with the same first members") \
	X(SIGN, "other sign") \
	X(IN_UNION, "union member") \
	X(AT_END, "the end of an array") \
	X(FUNCTION, "function") \
	/* Neither: what a program keeps in characters is not declared. */ \
	X(IN_CHARACTERS, "characters inside a struct") \
	/* Neither: freed, or never written. */ \
	X(NOWHERE, "nowhere") \
	X(INCONSISTENT, "inconsistent")

enum relation {
#define NAME(id, text) id,
	RELATIONS(NAME)
#undef NAME
	RELATION_COUNT
};

static const char *const words[] = {
#define WORD(id, text) [id] = text,
	RELATIONS(WORD)
#undef WORD
};

static unsigned long counts[RELATION_COUNT];
static char buffer[1 << 16];
static size_t filled;
static int out;

static void flush(void)
{
	for (size_t done = 0; done < filled;) {
		ssize_t n = write(out, buffer + done, filled - done);
		if (n <= 0)
			_exit(126);
		done += n;
	}
	filled = 0;
}

static void put(const char *text, char end)
{
	for (; *text; text++) {
		if (filled + 2 > sizeof buffer)
			flush();
		buffer[filled++] = *text;
	}
	buffer[filled++] = end;
}

static void put_number(unsigned long n, char end)
{
	char text[24];
	snprintf(text, sizeof text, "%lu", n);
	put(text, end);
}

static const char *name_of(struct uniqtype *t)
{
	return t ? UNIQTYPE_NAME(t) : "(unknown)";
}

/* The address in the file, of a call's return address. */
static unsigned long in_file(const void *site)
{
	Dl_info info;
	if (!site || !dladdr(site, &info))
		return 0;
	const Elf64_Ehdr *header = info.dli_fbase;
	return (uintptr_t) site - (header->e_type == ET_DYN ? (uintptr_t) header : 0);
}

static int is_composite(struct uniqtype *t)
{
	return UNIQTYPE_KIND(t) == COMPOSITE;
}

static int is_character(struct uniqtype *t)
{
	return UNIQTYPE_KIND(t) == BASE && UNIQTYPE_SIZE_IN_BYTES(t) == 1;
}

/* How an object that starts with type `t` fits a pointer to `wanted`. */
static enum relation fit(struct uniqtype *wanted, struct uniqtype *t)
{
	if (t == wanted)
		return SAME;
	if (UNIQTYPE_KIND(t) == BASE && UNIQTYPE_KIND(wanted) == BASE
		&& UNIQTYPE_BASE_TYPE_SIGNEDNESS_COMPLEMENT(t) == wanted)
		return SIGN;
	return INCONSISTENT;
}

/* Whether `longer` starts with an object of type `t`. */
static int begins_with(struct uniqtype *longer, struct uniqtype *t)
{
	while (longer != t) {
		if (UNIQTYPE_IS_ARRAY_TYPE(longer))
			longer = UNIQTYPE_ARRAY_ELEMENT_TYPE(longer);
		else if (is_composite(longer) && UNIQTYPE_HAS_DATA_MEMBERS(longer) && longer->related[0].un.memb.off == 0)
			longer = longer->related[0].un.memb.ptr;
		else
			return 0;
	}
	return 1;
}

/* Whether all members of the shorter of two structs are the first ones of the other. */
static int is_prefix(struct uniqtype *a, struct uniqtype *b)
{
	if (!is_composite(a) || !is_composite(b) || UNIQTYPE_COMPOSITE_IS_UNION(a) || UNIQTYPE_COMPOSITE_IS_UNION(b))
		return 0;
	unsigned n = UNIQTYPE_COMPOSITE_MEMBER_COUNT(a), m = UNIQTYPE_COMPOSITE_MEMBER_COUNT(b), i;
	for (i = 0; i < n && i < m; i++)
		if (a->related[i].un.memb.ptr != b->related[i].un.memb.ptr
			|| a->related[i].un.memb.off != b->related[i].un.memb.off)
			return 0;
	return i > 0;
}

static enum relation better(enum relation a, enum relation b)
{
	return a < b ? a : b;
}

/* The best relation of a pointer to `wanted` with what is `offset` bytes into an object of type `t`. */
static enum relation look(struct uniqtype *wanted, struct uniqtype *t, unsigned long offset, int depth)
{
	enum relation best = INCONSISTENT;
	if (depth > 32)
		return best;
	if (offset == 0) {
		best = fit(wanted, t);
		if (best == SAME)
			return best;
		if (is_composite(wanted) && is_composite(t) && begins_with(wanted, t))
			best = better(best, CONTAINER);
		if (is_prefix(wanted, t))
			best = better(best, PREFIX);
	}
	if (UNIQTYPE_IS_ARRAY_TYPE(t)) {
		struct uniqtype *element = UNIQTYPE_ARRAY_ELEMENT_TYPE(t);
		unsigned long size = UNIQTYPE_SIZE_IN_BYTES(element);
		if (!UNIQTYPE_HAS_UNBOUNDED_SIZE(element) && size)
			best = better(best, look(wanted, element, offset % size, depth + 1));
	} else if (is_composite(t)) {
		for (unsigned i = 0; i < UNIQTYPE_COMPOSITE_MEMBER_COUNT(t); i++) {
			struct uniqtype *member = t->related[i].un.memb.ptr;
			unsigned long start = t->related[i].un.memb.off;
			if (offset < start
				|| (!UNIQTYPE_HAS_UNBOUNDED_SIZE(member) && offset - start >= UNIQTYPE_SIZE_IN_BYTES(member)))
				continue;
			enum relation inside = look(wanted, member, offset - start, depth + 1);
			if (inside == SAME)
				inside = UNIQTYPE_COMPOSITE_IS_UNION(t) ? IN_UNION : offset ? INTERIOR : FIRST_MEMBER;
			if (inside == INCONSISTENT && UNIQTYPE_IS_ARRAY_TYPE(member)
				&& is_character(UNIQTYPE_ARRAY_ELEMENT_TYPE(member)))
				inside = IN_CHARACTERS;
			best = better(best, inside);
		}
	}
	return best;
}

static const char *allocator_name(void *p)
{
	struct allocator *a = alloc_get_allocator(p);
	return a ? a->name : "";
}

static int is_object(const char *allocator)
{
	static const char *const objects[] = { "generic malloc", "generic small", "alloca", "stackframe", "static", "auxv" };
	for (size_t i = 0; i < sizeof objects / sizeof *objects; i++)
		if (strcmp(allocator, objects[i]) == 0)
			return 1;
	return 0;
}

/* A pointer to an array points to its elements. */
static struct uniqtype *element_of(struct uniqtype *t)
{
	while (UNIQTYPE_IS_ARRAY_TYPE(t))
		t = UNIQTYPE_ARRAY_ELEMENT_TYPE(t);
	return t;
}

/* Whether a pointer is one past the last of an object's elements. */
static int is_end(void *target, struct uniqtype *wanted, struct uniqtype **found)
{
	char *last = (char *) target - 1;
	unsigned long size = alloc_get_size(last), element = UNIQTYPE_SIZE_IN_BYTES(element_of(wanted));
	if (!is_object(allocator_name(last)) || (char *) alloc_get_base(last) + size != target || element > size)
		return 0;
	*found = alloc_get_precise_type(last);
	return *found && look(element_of(wanted), *found, size - element, 0) < IN_CHARACTERS;
}

/* The relation of a pointer with what it points to; what was found there. */
static enum relation relation(void *target, struct uniqtype *wanted, struct uniqtype **found)
{
	*found = NULL;
	if (!target)
		return IS_NULL;
	if (!wanted || UNIQTYPE_IS_VOID_TYPE(wanted))
		return TO_VOID;
	if (is_character(wanted))
		return TO_CHARACTERS;
	const char *allocator = allocator_name(target);
	if (!is_object(allocator)) {
		if (is_end(target, wanted, found))
			return AT_END;
		return strncmp(allocator, "static", 6) == 0 ? TO_UNTYPED : NOWHERE;
	}
	*found = alloc_get_precise_type(target);
	if (!*found)
		return UNIQTYPE_KIND(wanted) == SUBPROGRAM ? TO_FOREIGN_CODE : TO_UNTYPED;
	if (UNIQTYPE_KIND(wanted) == SUBPROGRAM)
		return UNIQTYPE_KIND(*found) == SUBPROGRAM ? FUNCTION : INCONSISTENT;
	if (is_composite(wanted) && !UNIQTYPE_HAS_DATA_MEMBERS(wanted))
		return TO_OPAQUE;
	unsigned long offset = (char *) target - (char *) alloc_get_base(target);
	wanted = element_of(wanted);
	enum relation r = look(wanted, *found, offset, 0);
	return r == SAME && offset && !UNIQTYPE_IS_ARRAY_TYPE(*found) ? INTERIOR : r;
}

/* Writes where a slot is: the innermost struct and its member, else the type of the whole. */
static void put_place(struct uniqtype *t, unsigned long offset, void *slot)
{
	const char *holder = NULL, *member = "";
	for (int depth = 0; t && depth < 64; depth++) {
		if (UNIQTYPE_IS_ARRAY_TYPE(t)) {
			struct uniqtype *element = UNIQTYPE_ARRAY_ELEMENT_TYPE(t);
			unsigned long size = UNIQTYPE_SIZE_IN_BYTES(element);
			if (!size || UNIQTYPE_HAS_UNBOUNDED_SIZE(element))
				break;
			offset %= size;
			t = element;
			continue;
		}
		if (!is_composite(t))
			break;
		unsigned i = UNIQTYPE_COMPOSITE_MEMBER_COUNT(t);
		while (i > 0 && t->related[i - 1].un.memb.off > offset)
			i--;
		if (i == 0)
			break;
		holder = UNIQTYPE_NAME(t);
		member = UNIQTYPE_COMPOSITE_SUBOBJ_NAMES(t)[i - 1];
		offset -= t->related[i - 1].un.memb.off;
		t = t->related[i - 1].un.memb.ptr;
	}
	char name[512] = "(block)";
	if (!holder) {
		alloc_get_name(slot, name, sizeof name);
		put(name, '\t');
		return;
	}
	put(holder, '.');
	put(member, '\t');
}

static int each(void **slot, struct uniqtype *pointee, void *object)
{
	void *target;
	struct uniqtype *found;
	memcpy(&target, slot, sizeof target);
	enum relation r = relation(target, pointee, &found);
	counts[r]++;
	if (r < NOWHERE)
		return 0;
	put(words[r], '\t');
	put_place(alloc_get_precise_type(object), (char *) slot - (char *) object, slot);
	put(name_of(pointee), '\t');
	put(name_of(found), '\t');
	put_number(in_file(alloc_get_site(object)), '\t');
	put_number(in_file(alloc_get_site(target)), '\n');
	return 0;
}

static int visit(struct big_allocation *b, void *obj, struct uniqtype *t, const void *site,
	struct alloc_tree_link *link, void *arg)
{
	(void) b, (void) site, (void) link, (void) arg;
	const char *allocator = allocator_name(obj);
	int is_typed = t && alloc_get_base(obj) == obj
		&& (strcmp(allocator, "generic malloc") == 0 || strcmp(allocator, "static") == 0);
	if (is_typed)
		alloc_walk_refs(obj, each, obj);
	return is_typed || strcmp(allocator, "stackframe") == 0 || strcmp(allocator, "stack") == 0 ? -1 : 0;
}

__attribute__((destructor)) static void probe(void)
{
	const char *path = getenv("ALLOCS_WATCH");
	if (!path)
		return;
	out = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (out < 0 || __liballocs_walk_allocations_df(NULL, visit, NULL) > 0)
		_exit(126);
	for (int r = 0; r < NOWHERE; r++) {
		put(words[r], '\t');
		put_number(counts[r], '\n');
	}
	flush();
	close(out);
}
