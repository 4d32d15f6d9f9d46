/* What the program cannot inline. */
#include "heap.h"

Elsewhere::Elsewhere(int n) : n(n), more(n) {}

int square_of(int n) { return n * n; }
