/* An object graph as Graphviz draws it: see graph.c. */
#include <stdio.h>

/* Writes what typed pointers reach from the object at `root` as a graph in DOT. */
void graph_write(FILE *out, void *root);
