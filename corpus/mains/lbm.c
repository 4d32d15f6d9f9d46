/* A lattice-Boltzmann simulation of a channel with obstacles, in the manner of SPEC's lbm: two grids of plain numbers, each in
 * one block with a margin on either side, into which the program keeps only an inner pointer. */
#include <stdio.h>
#include <stdlib.h>

enum { NX = 60, NY = 40, STEPS = 120, SPEEDS = 9, CELL = SPEEDS + 1, MARGIN = 2 * NX * CELL };

typedef double LBM_Grid[NX * NY * CELL];
typedef double *LBM_GridPtr;

typedef struct {
	int steps;
	int obstacle_period;
	LBM_GridPtr source, target;
} LBM_Run;

static const int ex[SPEEDS] = { 0, 1, 0, -1, 0, 1, -1, -1, 1 };
static const int ey[SPEEDS] = { 0, 0, 1, 0, -1, 1, 1, -1, -1 };
static const int opposite[SPEEDS] = { 0, 3, 4, 1, 2, 7, 8, 5, 6 };
static const double weight[SPEEDS] = { 4. / 9, 1. / 9, 1. / 9, 1. / 9, 1. / 9, 1. / 36, 1. / 36, 1. / 36, 1. / 36 };

static double *cell(LBM_GridPtr grid, int x, int y)
{
	return grid + ((x + NX) % NX + y * NX) * CELL;
}

static void allocate_grid(LBM_GridPtr *grid)
{
	const size_t size = sizeof(LBM_Grid) + 2 * MARGIN * sizeof(double);
	*grid = malloc(size);
	if (!*grid) {
		fprintf(stderr, "no memory for %zu bytes\n", size);
		exit(1);
	}
	for (size_t i = 0; i < size / sizeof(double); i++) (*grid)[i] = 0;
	*grid += MARGIN;
}

static void free_grid(LBM_GridPtr *grid)
{
	free(*grid - MARGIN);
	*grid = NULL;
}

static void initialise(const LBM_Run *run)
{
	for (int y = 0; y < NY; y++)
		for (int x = 0; x < NX; x++) {
			double *c = cell(run->source, x, y), *t = cell(run->target, x, y);
			for (int i = 0; i < SPEEDS; i++) c[i] = weight[i] * (1 + 0.1 * ex[i]);
			c[SPEEDS] = t[SPEEDS] = y == 0 || y == NY - 1 || (x * 7 + y * 3) % run->obstacle_period == 0;
		}
}

static void stream_and_collide(const LBM_Run *run)
{
	for (int y = 0; y < NY; y++)
		for (int x = 0; x < NX; x++) {
			double *c = cell(run->source, x, y), rho = 0, ux = 0, uy = 0;
			if (c[SPEEDS]) {
				for (int i = 0; i < SPEEDS; i++) cell(run->target, x - ex[i], y - ey[i])[opposite[i]] = c[i];
				continue;
			}
			for (int i = 0; i < SPEEDS; i++) {
				rho += c[i];
				ux += ex[i] * c[i];
				uy += ey[i] * c[i];
			}
			ux = ux / rho + 1e-5;
			uy /= rho;
			for (int i = 0; i < SPEEDS; i++) {
				double u = ex[i] * ux + ey[i] * uy;
				double rest = weight[i] * rho * (1 + 3 * u + 4.5 * u * u - 1.5 * (ux * ux + uy * uy));
				cell(run->target, x + ex[i], y + ey[i])[i] = c[i] + 1.2 * (rest - c[i]);
			}
		}
}

int main(int argc, char **argv)
{
	LBM_Run *run = malloc(sizeof *run);
	double mass = 0, flow = 0;
	if (!run) return 1;
	run->steps = argc > 1 ? atoi(argv[1]) : STEPS;
	run->obstacle_period = 41;
	allocate_grid(&run->source);
	allocate_grid(&run->target);
	initialise(run);
	for (int step = 0; step < run->steps; step++) {
		LBM_GridPtr previous = run->source;
		stream_and_collide(run);
		run->source = run->target;
		run->target = previous;
	}
	for (int i = 0; i < NX * NY * CELL; i += CELL)
		for (int k = 0; k < SPEEDS; k++) {
			mass += run->source[i + k];
			flow += ex[k] * run->source[i + k];
		}
	printf("mass %.6f, flow %.6f\n", mass, flow);
	if (run->steps < STEPS) return 0;
	free_grid(&run->source);
	free_grid(&run->target);
	free(run);
	return 0;
}
