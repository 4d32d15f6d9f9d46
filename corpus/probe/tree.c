/*
 * Compares the tree of allocations with the kernel's list of mappings, with the dynamic linker's list of files and the headers
 * of these files, and with itself, through the public queries only.
 *
 * A program may call tree_disagreements() at any moment at which no other thread of it maps, loads, or allocates. Preloaded
 * after the library, it is called at exit, and writes to the file that ALLOCS_WATCH names:
 *   addresses TAB disagreements
 * What disagrees is said on standard error, the first of it. No memory is taken from malloc.
 */
#define _GNU_SOURCE
#include <allocs.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096, ADDRESSES = 1000000, MOST_MAPPINGS = 20000, MOST_MET = 1 << 25, TOLD = 20 };

struct range { char *start, *end; };

/* An allocation that a walk met and that holds no other: a heap block or a static. */
struct met { char *base; unsigned long size; struct uniqtype *type; struct allocator *allocator; };

static struct range mappings[MOST_MAPPINGS];
static size_t mapping_count;
static struct met *all_met;
static size_t met_count;
static unsigned long asked, wrong;

__attribute__((format(printf, 2, 3))) static void complain(void *p, const char *format, ...)
{
	char text[300], line[400];
	va_list arguments;
	if (++wrong > TOLD) return;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	int n = snprintf(line, sizeof line, "tree: %p: %s\n", p, text);
	if (write(2, line, n) != n) _exit(126);
}

static uint64_t bits = 88172645463325252u;

static size_t below(size_t limit)
{
	bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
	return (bits >> 11) % limit;
}

static char *page_of(const void *p)
{
	return (char *) ((uintptr_t) p & -(uintptr_t) PAGE);
}

static int is_mapped(const void *p)
{
	unsigned char resident;
	return mincore(page_of(p), 1, &resident) == 0;
}

static const char *name_of(struct allocator *a)
{
	return a ? a->name : "nothing";
}

/* The kernel's mappings, by address, without the page for system calls, which is not the process's. */
static void read_mappings(void)
{
	static char buffer[1 << 16];
	int in = open("/proc/self/maps", O_RDONLY);
	uintptr_t number = 0, start = 0;
	enum { START, END, REST } field = START;
	ssize_t n;
	mapping_count = 0;
	while ((n = read(in, buffer, sizeof buffer)) > 0) {
		for (char *c = buffer; c < buffer + n; ++c) {
			if (*c == '\n') {
				field = START, number = 0;
			} else if (field == START && *c == '-') {
				start = number, number = 0, field = END;
			} else if (field == END && *c == ' ') {
				if (number >> 47 == 0 && mapping_count < MOST_MAPPINGS)
					mappings[mapping_count++] = (struct range) { (char *) start, (char *) number };
				field = REST;
			} else if (field != REST) {
				number = number << 4 | (*c <= '9' ? *c - '0' : *c - 'a' + 10);
			}
		}
	}
	close(in);
}

/* Whether a record lies in another, and that is what it says of it. */
static void check_nesting(void *p)
{
	static struct allocator *const order[] = { &__mmap_allocator, &__brk_allocator, &__stack_allocator, &__static_file_allocator,
		&__static_segment_allocator, &__static_section_allocator };
	struct big_allocation *outer = NULL;
	for (size_t i = 0; i < sizeof order / sizeof *order; ++i) {
		void *base;
		struct big_allocation *big = __lookup_bigalloc_from_root(p, order[i], &base);
		if (!big) continue;
		if (big->begin != base || p < big->begin || p >= big->end) complain(p, "its %s is %p to %p", order[i]->name, big->begin, big->end);
		if (big != __lookup_bigalloc_from_root(p, order[i], NULL)) complain(p, "its %s has two records", order[i]->name);
		if (outer && (big->begin < outer->begin || big->end > outer->end))
			complain(p, "its %s, %p to %p, is not in its %s, %p to %p", order[i]->name, big->begin, big->end,
				outer->allocated_by->name, outer->begin, outer->end);
		outer = big;
	}
	if (!outer) complain(p, "no big allocation holds it");
	void *base = alloc_get_base(p);
	if (outer && (base < outer->begin || (char *) base + alloc_get_size(p) > (char *) outer->end) && alloc_get_size(p))
		complain(p, "its leaf, %p, is not in its %s, %p to %p", base, outer->allocated_by->name, outer->begin, outer->end);
}

/* The last allocation met that begins at or before an address. */
static const struct met *met_before(const char *p)
{
	size_t from = 0, to = met_count;
	while (from < to) {
		size_t middle = (from + to) / 2;
		if (all_met[middle].base <= p) from = middle + 1;
		else to = middle;
	}
	return from ? &all_met[from - 1] : NULL;
}

/* Walks meet no symbols of a file without metadata. */
static int is_of_unknown_file(char *p, struct uniqtype *type)
{
	struct big_allocation *file = __lookup_bigalloc_from_root(p, &__static_file_allocator, NULL);
	if (type || !file) return 0;
	const struct met *met = met_before(file->end);
	return !met || met->base < (char *) file->begin;
}

static void check(char *p)
{
	struct uniqtype *type;
	void *found;
	unsigned long size;
	struct allocator *a = alloc_get_allocator(p);
	++asked;
	alloc_get_info(p, NULL, &type, &found, &size, NULL);
	char *base = found;
	if (!a) {
		if (is_mapped(p)) complain(p, "is mapped, but belongs to nothing");
		return;
	}
	if (p < base || p >= base + (size ? size : 1)) complain(p, "is not in its %s, %p of %lu bytes", a->name, found, size);
	const struct met *met = met_before(p);
	int is_object = a == &__default_lib_malloc_allocator || a == &__static_symbol_allocator;
	if (met && p < met->base + (met->size ? met->size : 1)) {
		if (met->allocator != a || met->base != base || met->size != size || met->type != type)
			complain(p, "is in the %s %p for a walk, in the %s %p for a query", met->allocator->name, (void *) met->base, a->name, found);
	} else if (is_object && !is_of_unknown_file(p, type)) {
		complain(p, "is in the %s %p, which no walk met", a->name, found);
	}
}

static void remember(struct met met)
{
	if (met_count == MOST_MET) _exit(126);
	all_met[met_count++] = met;
}

/* A field of bits need not have any in the byte at which its storage begins. */
static int is_bit_field(struct uniqtype *t)
{
	return UNIQTYPE_KIND(t) == BASE && (t->un.base.one_plus_log_bit_size_delta || t->un.base.bit_off);
}

/* The big allocations that a walk is in, and the end of the last one of each. */
static struct { uintptr_t within; char *last_end; unsigned count; } levels[16];
static size_t depth;
static unsigned subobjects;

static int visit(struct big_allocation *big, void *obj, struct uniqtype *t, const void *site, struct alloc_tree_link *link, void *arg)
{
	(void) arg;
	if (link->container.bigalloc_or_uniqtype & 1) {
		/* A subobject: some are enough. */
		char *base = alloc_get_base(obj);
		struct uniqtype *inner = NULL;
		for (unsigned skip = 0; skip < 64 && inner != t; ++skip)
			if (!(inner = alloc_get_inner_type(obj, skip))) break;
		if ((char *) link->container.base > (char *) obj || base > (char *) obj) complain(obj, "a subobject is not in its object");
		/* What is not at the same time has no inner type. */
		struct uniqtype *holder = (struct uniqtype *) (link->container.bigalloc_or_uniqtype & ~(uintptr_t) 1);
		if (inner != t && UNIQTYPE_IS_COMPOSITE_TYPE(holder) && UNIQTYPE_COMPOSITE_IS_UNION(holder)) return -1;
		if (inner != t && !is_bit_field(t)) complain(obj, "no inner type of it is that of its subobject, %s", UNIQTYPE_NAME(t));
		return ++subobjects % 64 ? 0 : -1;
	}
	while (depth > 1 && levels[depth - 1].within != link->container.bigalloc_or_uniqtype) --depth;
	if (levels[depth - 1].within != link->container.bigalloc_or_uniqtype) complain(obj, "its container is not being walked");
	if ((char *) obj < levels[depth - 1].last_end) complain(obj, "is not behind what the walk met before it");
	if (link->containee_coord != ++levels[depth - 1].count) complain(obj, "it is not child number %u", link->containee_coord);
	struct allocator *a = alloc_get_allocator(obj);
	int is_container = big && big->allocated_by != &__default_lib_malloc_allocator;
	if (is_container) {
		struct big_allocation *container = (struct big_allocation *) link->container.bigalloc_or_uniqtype;
		if (big->begin != obj) complain(obj, "is not the start of its record, %p", big->begin);
		if (container && (big->begin < container->begin || big->end > container->end)) complain(obj, "is not in its container");
		if (big != __lookup_bigalloc_from_root(obj, big->allocated_by, NULL)) complain(obj, "a query has another record of its %s", big->allocated_by->name);
		if (!a) complain(obj, "is met by a walk, but belongs to nothing");
		levels[depth - 1].last_end = big->end;
		if (depth < sizeof levels / sizeof *levels) memset(&levels[depth], 0, sizeof *levels), levels[depth++].within = (uintptr_t) big;
		return 0;
	}
	struct uniqtype *type;
	void *base;
	unsigned long size;
	const void *found_site;
	alloc_get_info(obj, NULL, &type, &base, &size, &found_site);
	++asked;
	if (base != obj || type != t || found_site != site) complain(obj, "a query answers %s %p, %s", name_of(a), base, UNIQTYPE_NAME(type));
	struct big_allocation *container = (struct big_allocation *) link->container.bigalloc_or_uniqtype;
	if (container && (obj < container->begin || (char *) obj + size > (char *) container->end)) complain(obj, "is not in its container");
	levels[depth - 1].last_end = (char *) obj + (size ? size : 1);
	remember((struct met) { obj, size, t, a });
	return size > PAGE ? -1 : 0;
}

static void check_bounds(char *start, unsigned long size, struct allocator *by, const char *file)
{
	void *base;
	struct big_allocation *big = __lookup_bigalloc_from_root(start + size / 2, by, &base);
	++asked;
	if (!big || big->begin != start || big->end != start + size)
		complain(start, "a %s of %s, of %lu bytes, is %p to %p", by->name, file, size, big ? big->begin : NULL, big ? big->end : NULL);
}

/* What the file's section headers say, if it is there. */
static void check_sections(const struct dl_phdr_info *info)
{
	const char *path = info->dlpi_name[0] ? info->dlpi_name : "/proc/self/exe";
	int in = open(path, O_RDONLY);
	struct stat status;
	if (in < 0) return;
	if (fstat(in, &status)) _exit(126);
	const char *file = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE, in, 0);
	close(in);
	if (file == MAP_FAILED) _exit(126);
	const Elf64_Ehdr *header = (const void *) file;
	const Elf64_Shdr *sections = (const void *) (file + header->e_shoff);
	for (unsigned i = 0; header->e_shoff && i < header->e_shnum; ++i) {
		const Elf64_Shdr *section = &sections[i];
		if (!(section->sh_flags & SHF_ALLOC) || !section->sh_size || (section->sh_type == SHT_NOBITS && section->sh_flags & SHF_TLS)) continue;
		check_bounds((char *) info->dlpi_addr + section->sh_addr, section->sh_size, &__static_section_allocator, path);
	}
	munmap((void *) file, status.st_size);
}

static int check_file(struct dl_phdr_info *info, size_t size, void *arg)
{
	uintptr_t start = -1, end = 0;
	(void) size, (void) arg;
	for (int i = 0; i < info->dlpi_phnum; ++i) {
		const Elf64_Phdr *segment = &info->dlpi_phdr[i];
		if (segment->p_type != PT_LOAD) continue;
		if (segment->p_vaddr < start) start = segment->p_vaddr & -(uintptr_t) PAGE;
		if (segment->p_vaddr + segment->p_memsz > end) end = segment->p_vaddr + segment->p_memsz;
		char *memory = (char *) info->dlpi_addr + segment->p_vaddr;
		check_bounds(memory, segment->p_memsz, &__static_segment_allocator, info->dlpi_name);
		for (char *p = memory; p < memory + segment->p_memsz; p += PAGE) {
			const char *name = name_of(alloc_get_allocator(p));
			++asked;
			if (strncmp(name, "static", 6) && strcmp(name, "generic malloc")) complain(p, "is in a segment, but belongs to %s", name);
		}
	}
	check_bounds((char *) info->dlpi_addr + start, end - start, &__static_file_allocator, info->dlpi_name);
	check_sections(info);
	return 0;
}

/* Of each mapping and each gap so many addresses, spread over its pages. */
static void check_range(char *start, char *end, size_t count, int is_gap)
{
	size_t pages = (end - start) / PAGE;
	for (size_t i = 0; i < count; ++i) {
		char *p = start + (i < pages && count >= pages ? i : below(pages)) * PAGE + below(PAGE);
		if (!is_gap) {
			check(p);
			if (i % 64 == 0) check_nesting(p);
			continue;
		}
		struct allocator *a = alloc_get_allocator(p);
		++asked;
		if (a && !is_mapped(p)) complain(p, "belongs to %s, but is not mapped", a->name);
	}
}

unsigned long tree_disagreements(void);
unsigned long tree_disagreements(void)
{
	asked = wrong = met_count = 0;
	/* Before the walk, which must not see it come. */
	if (!all_met) all_met = mmap(NULL, MOST_MET * sizeof *all_met, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (all_met == MAP_FAILED) _exit(126);
	memset(levels, 0, sizeof levels);
	depth = 1;
	__liballocs_walk_allocations_df(NULL, visit, NULL);
	for (size_t i = 1; i < met_count; ++i)
		if (all_met[i].base <= all_met[i - 1].base) complain(all_met[i].base, "was met behind a higher address");
	dl_iterate_phdr(check_file, NULL);
	read_mappings();
	size_t pages = 0;
	for (size_t i = 0; i < mapping_count; ++i) pages += (mappings[i].end - mappings[i].start) / PAGE;
	char *last_end = (char *) PAGE;
	const char *limit = getenv("ADDRESSES");
	size_t budget = limit ? strtoul(limit, NULL, 10) : ADDRESSES;
	for (size_t i = 0; i < mapping_count; ++i) {
		struct range m = mappings[i];
		if (m.start > last_end) check_range(last_end, m.start, 20, 1);
		check_range(m.start, m.end, 1 + budget / 2 / mapping_count + (m.end - m.start) / PAGE * (budget / 2) / pages, 0);
		last_end = m.end;
	}
	return wrong;
}

__attribute__((destructor)) static void probe(void)
{
	const char *path = getenv("ALLOCS_WATCH");
	if (!path) return;
	tree_disagreements();
	int out = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (out < 0 || dprintf(out, "%lu\t%lu\n", asked, wrong) < 0) _exit(126);
	close(out);
}
