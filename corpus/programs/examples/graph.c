/* Writes a graph of the objects that an object reaches, for Graphviz: a node is an allocation with its type, an edge a
 * pointer with the names of its member and of what it points to. Link it into the program:
 *
 *	allocscc $(allocs-cflags) -o program program.c graph.c
 *	allocs run ./program | dot -Tsvg
 *
 * Nodes have numbers, in the order in which they are found, so that two graphs can be compared. */
#define _XOPEN_SOURCE 700
#include "graph.h"
#include <allocs.h>
#include <search.h>

struct node {
	void *base; /* first, for the tree compares nodes by it */
	unsigned number;
	struct node *next; /* in the queue of those whose pointers are still to be followed */
};

struct graph {
	FILE *out;
	void *tree; /* the nodes by address */
	struct node *last; /* of the queue */
	struct node *from; /* where the edges at hand begin */
	unsigned count;
};

static int by_base(const void *left, const void *right)
{
	char *a = ((const struct node *) left)->base, *b = ((const struct node *) right)->base;
	return (a > b) - (a < b);
}

/* Prints the path from an object to what is at `offset` bytes, the outermost of type `until` or else the innermost:
 * `.points[3].x`. */
static void print_path(FILE *out, struct uniqtype *type, size_t offset, struct uniqtype *until)
{
	while (type && type != until) {
		struct uniqtype *inner = NULL;
		if (UNIQTYPE_IS_ARRAY_TYPE(type)) {
			inner = UNIQTYPE_ARRAY_ELEMENT_TYPE(type);
			size_t size = UNIQTYPE_SIZE_IN_BYTES(inner);
			if (!size) return;
			if (UNIQTYPE_ARRAY_LENGTH(type) != 1) fprintf(out, "[%zu]", offset / size);
			offset %= size;
		} else if (!UNIQTYPE_COMPOSITE_IS_UNION(type)) {
			for (unsigned i = 0; i < UNIQTYPE_COMPOSITE_MEMBER_COUNT(type); ++i) {
				struct uniqtype *member = type->related[i].un.memb.ptr;
				size_t start = type->related[i].un.memb.off;
				if (offset < start || offset - start >= UNIQTYPE_SIZE_IN_BYTES(member)) continue;
				fprintf(out, ".%s", UNIQTYPE_COMPOSITE_SUBOBJ_NAMES(type)[i]);
				inner = member, offset -= start;
				break;
			}
		}
		type = inner;
	}
}

/* The node of an allocation, which is declared and queued when it is first met. */
static struct node *node_at(struct graph *graph, void *base)
{
	struct node *node = malloc(sizeof *node);
	if (!node) return NULL;
	*node = (struct node) { base, graph->count, NULL };
	struct node **found = tsearch(node, &graph->tree, by_base);
	if (!found || *found != node) {
		free(node);
		return found ? *found : NULL;
	}
	char label[200];
	struct uniqtype *type = alloc_get_precise_type(base);
	if (type) uniqtype_to_c(type, label, sizeof label);
	else snprintf(label, sizeof label, "(%s, unknown type)", alloc_get_allocator(base)->name);
	fprintf(graph->out, "\tn%u [label=\"%s\"];\n", graph->count++, label);
	if (graph->last) graph->last->next = node;
	graph->last = node;
	return node;
}

static int print_edge(void **slot, struct uniqtype *pointee, void *arg)
{
	struct graph *graph = arg;
	char *base = alloc_get_base(*slot), *from = graph->from->base;
	if (!base) return 0; /* the pointer is NULL, or points to no memory */
	struct node *to = node_at(graph, base);
	if (!to) return 1;
	fprintf(graph->out, "\tn%u -> n%u [label=\"", graph->from->number, to->number);
	print_path(graph->out, alloc_get_precise_type(from), (size_t) ((char *) slot - from), NULL);
	if (*slot != base) {
		fputs("\", headlabel=\"", graph->out);
		print_path(graph->out, alloc_get_precise_type(base), (size_t) ((char *) *slot - base), pointee);
	}
	fputs("\"];\n", graph->out);
	return 0;
}

void graph_write(FILE *out, void *root)
{
	struct graph graph = { .out = out };
	fputs("digraph objects {\n", out);
	if (alloc_get_base(root)) graph.from = node_at(&graph, alloc_get_base(root));
	for (; graph.from; graph.from = graph.from->next)
		if (alloc_walk_refs(graph.from->base, print_edge, &graph)) break;
	fputs("}\n", out);
	while (graph.tree) {
		struct node *node = *(struct node **) graph.tree;
		tdelete(node, &graph.tree, by_base);
		free(node);
	}
}
