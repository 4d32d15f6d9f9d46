//@ modes: library
//@ stderr: ====================================================
//@ stderr: liballocs summary: 
//@ stderr: ----------------------------------------------------
//@ stderr: queries aborted for unknown storage:               1
//@ stderr: queries handled by static case:                    1
//@ stderr: queries handled by stack case:                     1
//@ stderr: queries handled by heap case:                      2
//@ stderr: queries handled by alloca case:                    0
//@ stderr: ----------------------------------------------------
//@ stderr: queries aborted for unindexed heap:                0
//@ stderr: queries aborted for unknown heap allocsite:        0
//@ stderr: queries aborted for unindexed alloca:              0
//@ stderr: queries aborted for unknown stackframes:           0
//@ stderr: queries aborted for unknown static obj:            0
//@ stderr: ====================================================
/* The exit summary counts what the program asked. */
#include <allocs.h>

static int variable;

int main(void)
{
	int *p = malloc(4 * sizeof (int));
	int local = variable;
	alloc_get_type(NULL);
	alloc_get_type(&variable);
	alloc_get_type(&local);
	alloc_get_type(p);
	alloc_get_size(p);
	free(p);
	return local;
}
