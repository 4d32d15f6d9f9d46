/* Lattice gauge theory in small, in the manner of SPEC's milc: sites with matrices of complex numbers, tables of pointers to
 * fields of other sites, and temporary fields over the whole lattice. */
#include <stdio.h>
#include <stdlib.h>

enum { N = 6, DIRECTIONS = 4, SITES = N * N * N * N };

typedef struct { double real, imag; } complex;
typedef struct { complex e[3][3]; } su3_matrix;
typedef struct { complex c[3]; } su3_vector;
typedef struct {
	short x[DIRECTIONS];
	char parity;
	int index;
	unsigned long random;
	su3_matrix link[DIRECTIONS];
	su3_vector phi, result;
} site;
typedef struct msg_tag {
	int count;
	char **neighbours;
	struct msg_tag *next;
} msg_tag;

static site *lattice;
static char **gen_pt[DIRECTIONS];

static void *must(void *block)
{
	if (block) return block;
	fputs("no memory\n", stderr);
	exit(1);
}

static int index_of(const short x[DIRECTIONS])
{
	int index = 0;
	for (int d = 0; d < DIRECTIONS; d++) index = index * N + (x[d] + N) % N;
	return index;
}

static double number(site *s)
{
	s->random = s->random * 6364136223846793005UL + 1442695040888963407UL;
	return (double) (s->random >> 11) / (double) (1UL << 53) - 0.5;
}

static void make_lattice(void)
{
	lattice = must(malloc(SITES * sizeof(site)));
	for (int d = 0; d < DIRECTIONS; d++) gen_pt[d] = must(malloc(SITES * sizeof(char *)));
	for (int i = 0; i < SITES; i++) {
		site *s = &lattice[i];
		int rest = i, sum = 0;
		for (int d = DIRECTIONS - 1; d >= 0; d--, rest /= N) sum += s->x[d] = (short) (rest % N);
		s->parity = (char) (sum % 2);
		s->index = i;
		s->random = (unsigned long) i * 69069 + 1;
		for (int d = 0; d < DIRECTIONS; d++)
			for (int a = 0; a < 3; a++)
				for (int b = 0; b < 3; b++)
					s->link[d].e[a][b] = (complex) { (a == b) + 0.1 * number(s), 0.1 * number(s) };
		for (int a = 0; a < 3; a++) s->phi.c[a] = (complex) { number(s), number(s) };
	}
}

/* Pointers to a field of each site's neighbour, as a message between processors would bring it. */
static msg_tag *start_gather(size_t field, int direction)
{
	msg_tag *tag = must(calloc(1, sizeof(msg_tag)));
	tag->count = SITES;
	tag->neighbours = gen_pt[direction];
	for (int i = 0; i < SITES; i++) {
		short x[DIRECTIONS];
		for (int d = 0; d < DIRECTIONS; d++) x[d] = (short) (lattice[i].x[d] + (d == direction));
		tag->neighbours[i] = (char *) &lattice[index_of(x)] + field;
	}
	return tag;
}

static void multiply_add(const su3_matrix *m, const su3_vector *v, su3_vector *out)
{
	for (int a = 0; a < 3; a++)
		for (int b = 0; b < 3; b++) {
			out->c[a].real += m->e[a][b].real * v->c[b].real - m->e[a][b].imag * v->c[b].imag;
			out->c[a].imag += m->e[a][b].real * v->c[b].imag + m->e[a][b].imag * v->c[b].real;
		}
}

static double dslash(void)
{
	su3_vector *sum = must(calloc(SITES, sizeof(su3_vector)));
	double norm = 0;
	for (int d = 0; d < DIRECTIONS; d++) {
		msg_tag *tag = start_gather((size_t) ((char *) &lattice->phi - (char *) lattice), d);
		for (int i = 0; i < tag->count; i++) multiply_add(&lattice[i].link[d], (su3_vector *) tag->neighbours[i], &sum[i]);
		free(tag);
	}
	for (int i = 0; i < SITES; i++) {
		lattice[i].result = sum[i];
		for (int a = 0; a < 3; a++) norm += sum[i].c[a].real * sum[i].c[a].real + sum[i].c[a].imag * sum[i].c[a].imag;
	}
	for (int i = 0; i < SITES; i++)
		for (int a = 0; a < 3; a++) {
			lattice[i].phi.c[a].real = sum[i].c[a].real / 5;
			lattice[i].phi.c[a].imag = sum[i].c[a].imag / 5;
		}
	free(sum);
	return norm;
}

static double plaquette(void)
{
	su3_matrix *product = must(malloc(sizeof(su3_matrix) * SITES));
	double trace = 0;
	for (int d = 1; d < DIRECTIONS; d++)
		for (int i = 0; i < SITES; i++) {
			product[i] = lattice[i].link[0];
			for (int a = 0; a < 3; a++) trace += product[i].e[a][a].real * lattice[i].link[d].e[a][a].real;
		}
	free(product);
	return trace / (3 * SITES * (DIRECTIONS - 1));
}

int main(void)
{
	make_lattice();
	for (int step = 0; step < 5; step++) printf("step %d: norm %.9g\n", step, dslash());
	printf("plaquette %.9g\n", plaquette());
	return 0; /* The lattice stays. */
}
