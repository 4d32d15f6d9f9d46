/* What the program and its libraries share. */
#include <stddef.h>

struct point { int x, y; };
struct request { size_t n; const char *text; };

void *point(void);
void *points(const struct request *);
void *cleared(const struct request *);
void *points_for_caller(int);
void *words_for_caller(int);
void *member(const struct request *);
void *global(void);
void *open_ended(const struct request *);
void *characters(const struct request *);
void *duplicate(const struct request *);
void *grown(void *, const struct request *);
void *of_void(void);
void *of_another_size(void);
void *characters_for_caller(size_t);
void *base_for_caller(size_t);
void *derived(void);
void *many_derived(const struct request *);
void *three_numbers(void);
void *from_assembler(void);
void of_frame(void (*)(void *));
extern struct point table[3];

void *beside(void);
extern struct point beside_table[2];
