/* The packed records in which older tools of this kind describe symbols. Kept so that clients that pack or unpack
 * such words compile; the library itself has no use for them. */
#ifndef ALLOCMETA_DEFS_H_
#define ALLOCMETA_DEFS_H_

union sym_or_reloc_rec {
	unsigned is_reloc : 1;
	struct {
		unsigned kind : 3;
		unsigned long uniqtype_ptr_bits_no_lowbits : 44;
		unsigned idx : 17;
	} sym;
	struct {
		unsigned is_reloc : 1, size : 31;
		unsigned long base_vaddr : 32;
	} reloc;
};
#define SYM_ONLY_REC_WORD(kind, idx, ptr) (((idx) << 47) + (ptr) + ((kind) & 7))

#endif
