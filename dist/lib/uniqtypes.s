# liballocs.a: C's base types for what is linked with -lallocs by any compiler and names them (`extern struct uniqtype
# __uniqtype__int;`). allocscc makes such objects itself, of every type.
#
# Each is a `struct uniqtype` that is right as it stands, and behind it a word for the library. A note leads to it, by which the
# library finds it in the loaded file. All are weak: what allocscc has made comes first.

	.macro named room, name, aliases:vararg
	.irp symbol, \name, \aliases
	.weak __uniqtype__\symbol
	.type __uniqtype__\symbol, @object
	.size __uniqtype__\symbol, \room
__uniqtype__\symbol:
	.endr
	.endm

	.macro note room, name, object
	.section .note.allocs, "a", @note
	.p2align 2
	.long 8, 2f - 1f, 1
	.asciz "allocs."
1:	.long \object - 1b, \room
	.asciz "__uniqtype__\name"
	.p2align 2
2:
	.endm

# A base type: name, DW_ATE encoding, size, the type of the other signedness, other names.
	.macro base name, encoding, size, complement, aliases:vararg
	.data
	.p2align 3
.Lobject_\@:
	named 48, \name, \aliases
	.quad 0
	.long \size, 2 | \encoding << 4
	.quad 0, \complement, 0, 0
	note 48, \name, .Lobject_\@
	.endm

	base boolean$$8, 2, 1, 0, _Bool, bool
	base signed_char$$8, 6, 1, __uniqtype__unsigned_char$$8, char, signed$20char, signed_char
	base unsigned_char$$8, 8, 1, __uniqtype__signed_char$$8, unsigned$20char, unsigned_char
	base int$$16, 5, 2, __uniqtype__uint$$16, short, short$20int, short_int
	base uint$$16, 7, 2, __uniqtype__int$$16, unsigned$20short, unsigned_short, short$20unsigned$20int, short_unsigned_int, unsigned$20short$20int, unsigned_short_int
	base int$$32, 5, 4, __uniqtype__uint$$32, int, signed, signed$20int, signed_int
	base uint$$32, 7, 4, __uniqtype__int$$32, unsigned, unsigned$20int, unsigned_int
	base int$$64, 5, 8, __uniqtype__uint$$64, long, long$20int, long_int, long$20long, long_long, long$20long$20int, long_long_int
	base uint$$64, 7, 8, __uniqtype__int$$64, unsigned$20long, unsigned_long, long$20unsigned$20int, long_unsigned_int, unsigned$20long$20int, unsigned_long_int, unsigned$20long$20long, unsigned_long_long, long$20long$20unsigned$20int, long_long_unsigned_int, unsigned$20long$20long$20int, unsigned_long_long_int
	base int$$128, 5, 16, __uniqtype__uint$$128, __int128
	base uint$$128, 7, 16, __uniqtype__int$$128, __int128$20unsigned, __int128_unsigned, unsigned$20__int128, unsigned___int128
	base float$$32, 4, 4, 0, float
	base float$$64, 4, 8, 0, double
	base float$$128, 4, 16, 0, long$20double, long_double

	.data
	.p2align 3
.Lvoid:
	named 32, void
	.quad 0, 0, 0, 0
	note 32, void, .Lvoid

# Tells the library, where it is loaded, of the file before its own constructors run. allocscc has the same under this name.
	.text
	.globl __allocs_tells_of_uniqtypes
	.hidden __allocs_tells_of_uniqtypes
__allocs_tells_of_uniqtypes:
	endbr64
	leaq __allocs_tells_of_uniqtypes(%rip), %rdi
	.weak __allocs_uniqtypes_loaded
	movq __allocs_uniqtypes_loaded@GOTPCREL(%rip), %rax
	testq %rax, %rax
	jz 1f
	jmp *%rax
1:	ret
	.section .init_array.00000, "aw", @init_array
	.p2align 3
	.quad __allocs_tells_of_uniqtypes

	.section .note.GNU-stack, "", @progbits
