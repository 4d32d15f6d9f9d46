// Libraries that cc built, to which `allocs meta add` gave metadata, in the file and beside it: types, static objects and frames are
// those of the debug information; a block has the type of the pointer that receives it, unless something speaks against that.
//@ cflags: -g
//@ added-so: added_lib.c
//@ based-so: added_beside.c
//@ ldflags: -L{dir} -ladded_lib -ladded_beside -Wl,-rpath,$ORIGIN
//@ env: META_BASE=/nonexistent:{dir}
//@ modes: library O1 O2 O3 Os clang -O2,-fno-omit-frame-pointer -O2,-gdwarf-4
//@ stdout: point: __ARR0_point
//@ stdout: points: __ARR0_point
//@ stdout: cleared: __ARR0_point
//@ stdout: points for the caller: __ARR0_point
//@ stdout: words for the caller: unknown
//@ stdout: member: __ARR0_list
//@ stdout: global: __ARR0_list
//@ stdout: open-ended: text
//@ stdout: characters: __ARR0_signed_char$8
//@ stdout: duplicate: __ARR0_signed_char$8
//@ stdout: grown from nothing: __ARR0_point
//@ stdout: void: unknown
//@ stdout: of another size: unknown
//@ stdout: characters for the caller: unknown
//@ stdout: base for the caller: unknown
//@ stdout: derived: unknown
//@ stdout: many derived: unknown
//@ stdout: three numbers: __ARR0_int$32
//@ stdout: from assembler: unknown
//@ stdout: static object: __ARR3_point
//@ stdout: frame: added_lib_c_of_frame
//@ stdout: in the frame: point
//@ stdout: beside: __ARR0_node
//@ stdout: static object of it: __ARR2_point
#include <allocs.h>
#include "added.h"

/* The type, unless it is the one of bytes that stands for unknown. */
static const char *known(void *p)
{
	struct uniqtype *t = alloc_get_type(p);
	const char *found = t ? UNIQTYPE_NAME(t) : "none";
	return strcmp(found, "__ARR0_unsigned_char$8") ? found : "unknown";
}

static void show(const char *what, void *block)
{
	printf("%s: %s\n", what, known(block));
	free(block);
}

static void show_frame(void *local)
{
	const char *frame = known(local);
	const char *range = strstr(frame, "_vaddrs_");
	printf("frame: %.*s\n", range ? (int)(range - frame) : -1, frame);
	struct uniqtype *t = alloc_get_inner_type(local, 1);
	printf("in the frame: %s\n", t ? UNIQTYPE_NAME(t) : "none");
}

int main(void)
{
	struct request request = { 3, "text" };
	show("point", point());
	show("points", points(&request));
	show("cleared", cleared(&request));
	show("points for the caller", points_for_caller(3));
	show("words for the caller", words_for_caller(3));
	show("member", member(&request));
	show("global", global());
	show("open-ended", open_ended(&request));
	show("characters", characters(&request));
	show("duplicate", duplicate(&request));
	show("grown from nothing", grown(NULL, &request));
	show("void", of_void());
	show("of another size", of_another_size());
	show("characters for the caller", characters_for_caller(24));
	show("base for the caller", base_for_caller(24));
	show("derived", derived());
	show("many derived", many_derived(&request));
	show("three numbers", three_numbers());
	show("from assembler", from_assembler());
	printf("static object: %s\n", known(table));
	of_frame(show_frame);
	show("beside", beside());
	printf("static object of it: %s\n", known(beside_table));
	return 0;
}
