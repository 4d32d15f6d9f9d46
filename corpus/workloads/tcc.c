/* Compiled by tcc without any header: declarations, macros and functions of many kinds. */
typedef unsigned long size_t;
extern void *malloc(size_t);
extern int printf(const char *, ...);

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define EIGHT(m, n) m(n##0) m(n##1) m(n##2) m(n##3) m(n##4) m(n##5) m(n##6) m(n##7)
#define SIXTY_FOUR(m, n) EIGHT(m, n##0) EIGHT(m, n##1) EIGHT(m, n##2) EIGHT(m, n##3) EIGHT(m, n##4) EIGHT(m, n##5) EIGHT(m, n##6) EIGHT(m, n##7)

struct point { int x, y; struct point *next; };
union value { long integer; double real; char bytes[8]; };
enum colour { RED, GREEN = 5, BLUE };

#define DEFINE(n) \
    struct JOIN(record_, n) { int id; double weight; struct point p[4]; enum colour c : 4; union value v; }; \
    static int JOIN(table_, n)[16] = { 1, 2, 3, [8] = 4 }; \
    static double JOIN(mean_, n)(const double *values, int count) { \
        double sum = 0; \
        for (int i = 0; i < count; i++) { if (values[i] < 0) continue; sum += values[i] * JOIN(table_, n)[i & 15]; } \
        return count ? sum / count : 0; \
    } \
    static struct JOIN(record_, n) *JOIN(make_, n)(int id) { \
        struct JOIN(record_, n) *r = malloc(sizeof *r); \
        double values[] = { 1.5, -2, 3e4, id }; \
        r->id = id; r->weight = JOIN(mean_, n)(values, 4); r->c = id > 3 ? BLUE : RED; r->v.integer = id << 2; \
        for (int i = 0; i < 4; i++) r->p[i] = (struct point){ i, id, i ? &r->p[i - 1] : 0 }; \
        switch (id % 3) { case 0: r->id += 7; break; case 1: goto out; default: r->id ^= 0x55; } \
    out: \
        printf("record %s: %d, %g, \"%c\"\n", "of " "two strings", r->id, r->weight, 'c'); \
        return r; \
    }

SIXTY_FOUR(DEFINE, 1)
SIXTY_FOUR(DEFINE, 2)
SIXTY_FOUR(DEFINE, 3)

#define CALL(n) JOIN(make_, n)(n);
int main(void) { SIXTY_FOUR(CALL, 1) SIXTY_FOUR(CALL, 2) SIXTY_FOUR(CALL, 3) return 0; }
