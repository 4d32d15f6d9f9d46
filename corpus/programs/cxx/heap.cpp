// What `new` and the containers of the standard library allocate: a block belongs to the code that asked for it, and holds what its
// constructor, its allocator or the pointer that receives it says. Where these may not be right, nothing is said.
//@ cflags: -std=c++17
//@ with: heap_elsewhere.cpp
//@ modes: library O2 clang clang-O2
//@ stdout: derived: __ARR0_Square
//@ stdout: of the same size as its base: __ARR0_Same
//@ stdout: base: __ARR0_Shape
//@ stdout: with arguments: __ARR0_Square
//@ stdout: no constructor: __ARR0_Point
//@ stdout: through a pointer to its base: unknown
//@ stdout: constructor elsewhere: __ARR0_Elsewhere
//@ stdout: array: __ARR0_Point
//@ stdout: array of constant length: __ARR0_Point
//@ stdout: array with its length in front: __SYNTH_uint$64__ARR0_Counted
//@ stdout: one of its objects: Counted
//@ stdout: characters: __ARR0_signed_char$8
//@ stdout: without exceptions: __ARR0_Point
//@ stdout: aligned: __ARR0_Aligned
//@ stdout: bytes by hand: unknown
//@ stdout: vector: __ARR0_Point
//@ stdout: vector of numbers: __ARR0_int$32
//@ stdout: node of a list: a class
//@ stdout: node of a map: a class
//@ stdout: shared: a class
//@ stdout: site: heap.cpp:[[re:[0-9]+]] make_square
//@ stdout: precise: __ARR5_Point
#include <allocs.h>
#include <list>
#include <map>
#include <memory>
#include <new>
#include <vector>
#include "heap.h"

struct Point { int x, y; };
class Shape {
public:
	virtual ~Shape() {}
	virtual int area() const { return 0; }
	int id = 1;
};
class Same : public Shape {
public:
	int area() const override { return 1; }
};
class Square : public Shape {
public:
	explicit Square(int s) : side(s) {}
	int area() const override { return side * side; }
	int side;
	long more = 3;
};
struct Plain { int x, y; };
struct Named : Plain {};
struct Counted { long n, m; ~Counted(); };
struct alignas(64) Aligned { long a[8]; };

Counted::~Counted() {}

/* Makes the compiler keep what is there. */
template<class T> __attribute__((noinline)) static T *kept(T *p)
{
	__asm__ volatile("" : : "r"(p) : "memory");
	return p;
}

static const char *known(const void *p)
{
	struct uniqtype *t = alloc_get_type((void *)p);
	const char *found = t ? UNIQTYPE_NAME(t) : "none";
	return strcmp(found, "__ARR0_unsigned_char$8") ? found : "unknown";
}

static void show(const char *what, const void *block) { printf("%s: %s\n", what, known(block)); }

/* The name of a template's class differs between compilers. */
static void show_class(const char *what, const void *block, const char *part)
{
	printf("%s: %s\n", what, strstr(known(block), part) ? "a class" : known(block));
}

/* clang reads the size of a second object of 16 bytes in a function from where it put it for the first one. */
__attribute__((noinline)) static Shape *make_base() { return kept(new Shape); }

__attribute__((noinline)) static Counted *make_counted(unsigned char n)
{
	Counted *counted = new Counted[3];
	counted->n = n;
	return kept(counted);
}

__attribute__((noinline)) static char *make_characters(unsigned char n)
{
	char *characters = new char[n];
	*characters = 'c';
	return kept(characters);
}

__attribute__((noinline)) static Shape *make_square(int n) { return kept<Shape>(new Square(n)); }

int main(int argc, char **)
{
	Shape *derived = kept<Shape>(new Square(argc));
	show("derived", derived);
	Shape *same = kept<Shape>(new Same);
	show("of the same size as its base", same);
	Shape *base = make_base();
	show("base", base);
	Square *square = kept(new Square(square_of(argc)));
	show("with arguments", square);
	Point *point = new Point;
	point->x = argc;
	show("no constructor", kept(point));
	Plain *named = new Named;
	named->x = argc;
	show("through a pointer to its base", kept(named));
	Elsewhere *elsewhere = kept(new Elsewhere(argc));
	show("constructor elsewhere", elsewhere);

	Point *array = new Point[square_of(argc)];
	array->x = argc;
	show("array", kept(array));
	Point *four = new Point[4];
	four->x = argc;
	show("array of constant length", kept(four));
	Counted *counted = make_counted(argc);
	show("array with its length in front", counted);
	struct uniqtype *one = alloc_get_inner_type(counted, 1);
	printf("one of its objects: %s\n", one ? UNIQTYPE_NAME(one) : "none");
	show("characters", make_characters(argc));
	Point *quiet = new (std::nothrow) Point;
	if (!quiet)
		return 1;
	show("without exceptions", kept(quiet));
	Aligned *aligned = new Aligned;
	aligned->a[0] = argc;
	show("aligned", kept(aligned));
	void *by_hand = kept(operator new(square_of(argc)));
	show("bytes by hand", by_hand);

	std::vector<Point> vector(square_of(argc) + 4);
	show("vector", vector.data());
	std::vector<int> numbers(square_of(argc));
	show("vector of numbers", numbers.data());
	std::list<long> list;
	list.push_back(argc);
	show_class("node of a list", &list.front(), "std::_List_node<long");
	std::map<int, int> map;
	map[argc] = argc;
	show_class("node of a map", &map.begin()->first, "std::_Rb_tree_node<std::pair<");
	std::shared_ptr<Point> shared = std::make_shared<Point>();
	show_class("shared", shared.get(), "std::_Sp_counted_ptr_inplace<Point, ");

	Shape *made = make_square(argc);
	char site[200];
	printf("site: %s\n", alloc_get_site_name(alloc_get_site(made), site, sizeof site));
	printf("precise: %s\n", UNIQTYPE_NAME(alloc_get_precise_type(vector.data())));
	return 0;
}
