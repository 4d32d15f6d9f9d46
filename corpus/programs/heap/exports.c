// The library exports the functions that it takes the place of, and what its headers name; nothing else.
//@ cflags: -O1
//@ modes: library
//@ stdout: 0 names that nobody promised
#define _GNU_SOURCE
#include <elf.h>
#include <fnmatch.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const char *const promised[] = {
	"malloc", "calloc", "realloc", "reallocarray", "free", "cfree", "memalign", "aligned_alloc", "posix_memalign", "valloc",
	"pvalloc", "strdup", "__strdup", "strndup", "__strndup", "asprintf", "__asprintf", "__asprintf_chk", "vasprintf",
	"__vasprintf_chk", "getline", "getdelim", "__getdelim", "tempnam", "canonicalize_file_name", "get_current_dir_name",
	"getcwd", "realpath", "dlclose", "dlsym", "mlockall", "sigaltstack", "__allocs_uniqtypes_loaded",
	"alloc_*", "__liballocs_*", "__lookup_bigalloc_from_root", "__*_allocator", "__uniqtype_*", "__string8_nulterm_packed_sequence",
	"__packed_seq_free", "fake_dladdr", "uniqtype_to_c",
};

static int is_promised(const char *name)
{
	for (size_t i = 0; i < sizeof promised / sizeof promised[0]; i++)
		if (fnmatch(promised[i], name, 0) == 0) return 1;
	return 0;
}

int main(void)
{
	int found = 0, unexpected = 0;
	struct link_map *map = _r_debug.r_map;
	while (map && !strstr(map->l_name, "liballocs_preload.so")) map = map->l_next;
	if (!map) return 1;
	const ElfW(Sym) *symbols = NULL;
	const char *strings = NULL;
	const uint32_t *hash = NULL;
	for (const ElfW(Dyn) *d = map->l_ld; d->d_tag != DT_NULL; d++) {
		if (d->d_tag == DT_SYMTAB) symbols = (const ElfW(Sym) *) d->d_un.d_ptr;
		if (d->d_tag == DT_STRTAB) strings = (const char *) d->d_un.d_ptr;
		if (d->d_tag == DT_GNU_HASH) hash = (const uint32_t *) d->d_un.d_ptr;
	}
	/* GNU hash table: bucket count, first hashed symbol, Bloom filter words, shift; the filter, buckets, chains. */
	const uint32_t *bucket = hash + 4 + hash[2] * 2, *chain = bucket + hash[0] - hash[1];
	for (uint32_t i = 0; i < hash[0]; i++) {
		for (uint32_t s = bucket[i]; s != 0; s = chain[s] & 1 ? 0 : s + 1) {
			const char *name = strings + symbols[s].st_name;
			found++;
			if (!is_promised(name)) printf("%s\n", name), unexpected++;
		}
	}
	printf("%d names that nobody promised\n", unexpected);
	return found < 20;
}
