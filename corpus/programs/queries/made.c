//@ modes: library O0
//@ stdout: array: __ARR7_point, the same twice
//@ stdout: an array of the file's length is the file's: yes
//@ stdout: flexible: __ARR0_point
//@ stdout: pointer: __PTR_point is the file's: yes
//@ stdout: function: __FUN_FROM___ARG0_point__ARG1___PTR_point__FUN_TO_int$32
//@ stdout: union: __SYNTHUNION_int$32_point of 8 bytes
//@ stdout: by name: point
//@ stdout: by name: nothing
//@ stdout: a block with two types: __SYNTHUNION___ARR2_point___ARR4_int$32
//@ stdout: set: int$32
//@ stdout: reallocated: int$32
//@ stdout: taken back: __ARR0_point
//@ stdout: not a heap block: not a heap allocation
//@ stdout: site by number: yes
/* Types made and declared at run time. */
#include <allocs.h>

struct point {
	int x, y;
};
static struct point seven[7], *pointer = seven;
static int integer;

int main(void)
{
	struct uniqtype *point = UNIQTYPE_ARRAY_ELEMENT_TYPE(alloc_get_type(seven));
	struct uniqtype *integer_type = alloc_get_type(&integer);
	struct uniqtype *array = __liballocs_get_or_create_array_type(point, 7);
	printf("array: %s, %s\n", UNIQTYPE_NAME(array),
		array == __liballocs_get_or_create_array_type(point, 7) ? "the same twice" : "another");
	printf("an array of the file's length is the file's: %s\n", array == alloc_get_type(seven) ? "yes" : "no");
	printf("flexible: %s\n", UNIQTYPE_NAME(__liballocs_get_or_create_flexible_array_type(point)));
	struct uniqtype *address = __liballocs_get_or_create_address_type(point);
	printf("pointer: %s is the file's: %s\n", UNIQTYPE_NAME(address), address == alloc_get_type(&pointer) ? "yes" : "no");
	printf("function: %s\n", UNIQTYPE_NAME(__liballocs_get_or_create_subprogram_type(integer_type, 2, point, address)));
	struct uniqtype *either = __liballocs_get_or_create_union_type(2, integer_type, point);
	printf("union: %s of %u bytes\n", UNIQTYPE_NAME(either), either->pos_maxoff);
	printf("by name: %s\n", UNIQTYPE_NAME(__liballocs_typestr_to_uniqtype("point")));
	printf("by name: %s\n", __liballocs_typestr_to_uniqtype("no such type") ? "something" : "nothing");
	struct point *block = malloc(2 * sizeof (struct point));
	__liballocs_add_type_to_block(block, integer_type);
	printf("a block with two types: %s\n", UNIQTYPE_NAME(alloc_get_type(block)));
	alloc_set_type(NULL, &block[1].y, integer_type);
	printf("set: %s\n", UNIQTYPE_NAME(alloc_get_type(block)));
	block = realloc(block, 1000);
	printf("reallocated: %s\n", UNIQTYPE_NAME(alloc_get_type(block)));
	alloc_set_type(NULL, block, NULL);
	printf("taken back: %s\n", UNIQTYPE_NAME(alloc_get_type(block)));
	printf("not a heap block: %s\n", __liballocs_errstring(alloc_set_type(NULL, &integer, integer_type)));
	const void *site = alloc_get_site(block);
	printf("site by number: %s\n", __liballocs_allocsite_by_id(__liballocs_allocsite_id(site)) == site ? "yes" : "no");
	free(block);
	return 0;
}
