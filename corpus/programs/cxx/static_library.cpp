// With the C++ library linked into the program, `operator new` is in a file with metadata and has no debug information.
//@ cflags: -std=c++17
//@ ldflags: -static-libstdc++ -static-libgcc
//@ modes: library O2 clang clang-O2
//@ stdout: object: __ARR0_Point
//@ stdout: vector: __ARR0_Point
#include <allocs.h>
#include <vector>

struct Point { long x, y; };

static const char *type(const void *p)
{
	struct uniqtype *t = alloc_get_type((void *)p);
	return t ? UNIQTYPE_NAME(t) : "none";
}

int main(int argc, char **)
{
	Point *p = new Point;
	p->x = argc;
	__asm__ volatile("" : : "r"(p) : "memory");
	std::vector<Point> points(argc + 4);
	printf("object: %s\n", type(p));
	printf("vector: %s\n", type(points.data()));
	delete p;
	return 0;
}
