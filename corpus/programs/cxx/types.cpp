// Types of C++: names with their namespaces, bases as members, references as pointers, and what C has no word for.
//@ cflags: -std=c++17
//@ modes: library O2 clang clang-O2 -gdwarf-4,-fdebug-types-section strip
//@ stdout: geo::Point Point
//@ stdout: geo::Box<int> geo::Box<geo::Point>
//@ stdout: Square: <base> 0 geo::Shape, side 12 int$32
//@ stdout: geo::Shape: vptr 0 pointer, id 8 int$32
//@ stdout: Multiple: <base> 0 geo::Point, <base> 8 Point, more 24 int$32
//@ stdout: reference: __PTR_int$32
//@ stdout: rvalue reference: __PTR_geo::Point
//@ stdout: virtual base: vptr 0 pointer, own 8 int$32
//@ stdout: enum class: geo::Colour, 2 values over unsigned_char$8
//@ stdout: boolean$8 int$32 utf$16 utf$32 __PTR_void
//@ stdout: to a member: int$64, to a function: __ARR2_int$64
//@ stdout: static member: int$32, inline: int$32
//@ stdout: members: anonymous at 8, then 12
//@ stdout: lambda: a class of 16 bytes
//@ stdout: function: __FUN_FROM___ARG0___PTR_geo::Point__ARG1_int$32__FUN_TO_int$32
//@ stdout: member function: __FUN_FROM___ARG0___PTR_geo::Shape__FUN_TO_int$32
//@ stdout: inner of the base's member: int$32, Square's: geo::Shape, then Square
//@ stdout: this is a __PTR_geo::Shape
#include <allocs.h>

namespace geo {
struct Point { int x, y; };
class Shape {
public:
	virtual ~Shape() {}
	virtual int area() const { return 0; }
	__attribute__((noinline)) int number();
	int id = 1;
	static int count;
};
int Shape::count = 7;
enum class Colour : unsigned char { red, green };
template<class T> struct Box { T value; };
inline int shared = 3;
}
/* The same name, and another type. */
struct Point { int x; long y; };
class Square : public geo::Shape {
public:
	int area() const override { return side * side; }
	int side = 2;
};
struct Multiple : geo::Point, Point { int more; };
struct Left { int left; };
struct Virtual : virtual Left { int own; };
struct Refers { int &reference; geo::Point &&temporary; };
struct Parts { long first; union { int number; float real; }; struct { short a, b; }; };

static const char *name(struct uniqtype *t) { return t ? UNIQTYPE_NAME(t) : "none"; }
static const char *type(const void *p) { return name(alloc_get_type((void *)p)); }

static void show_members(const char *what, const void *object)
{
	struct uniqtype *t = alloc_get_type((void *)object);
	const char **names = UNIQTYPE_COMPOSITE_SUBOBJ_NAMES(t);
	printf("%s:", what);
	for (unsigned i = 0; i < UNIQTYPE_COMPOSITE_MEMBER_COUNT(t); ++i) {
		struct uniqtype *m = t->related[i].un.memb.ptr;
		bool is_table = strncmp(names[i], "_vptr", 5) == 0;
		printf("%s %s %lu %s", i ? "," : "", is_table ? "vptr" : *names[i] ? names[i] : "<base>",
			(unsigned long)t->related[i].un.memb.off, is_table ? "pointer" : name(m));
	}
	printf("\n");
}

int geo::Shape::number()
{
	struct uniqtype *slot = alloc_get_inner_type((void *)&id, 0);
	Shape *volatile self = this;
	printf("this is a %s\n", name(alloc_get_inner_type((void *)&self, 0)));
	return slot != NULL;
}

__attribute__((used)) static int function(geo::Point &p, int n) { return p.x + n; }

geo::Point point;
Point other;
geo::Box<int> of_int;
geo::Box<geo::Point> of_point;
Square square;
Multiple multiple;
Virtual with_virtual;
static int i;
Refers refers = { i, static_cast<geo::Point &&>(point) };
geo::Colour colour;
bool truth;
wchar_t wide;
char16_t half;
char32_t full;
decltype(nullptr) null;
int geo::Point::*to_member = &geo::Point::y;
int (geo::Shape::*to_function)() const = &geo::Shape::area;
Parts parts;
static long captured;

int main()
{
	printf("%s %s\n", type(&point), type(&other));
	printf("%s %s\n", type(&of_int), type(&of_point));
	show_members("Square", &square);
	geo::Shape shape;
	static geo::Shape whole;
	show_members("geo::Shape", &whole);
	show_members("Multiple", &multiple);
	struct uniqtype *r = alloc_get_type(&refers);
	printf("reference: %s\n", name(r->related[0].un.memb.ptr));
	printf("rvalue reference: %s\n", name(r->related[1].un.memb.ptr));
	show_members("virtual base", &with_virtual);
	struct uniqtype *e = alloc_get_type(&colour);
	printf("enum class: %s, %u values over %s\n", name(e), (unsigned)e->un.enumeration.nenum, name(e->related[0].un.t.ptr));
	printf("%s %s %s %s %s\n", type(&truth), type(&wide), type(&half), type(&full), type(&null));
	printf("to a member: %s, to a function: %s\n", type(&to_member), type(&to_function));
	printf("static member: %s, inline: %s\n", type(&geo::Shape::count), type(&geo::shared));
	struct uniqtype *p = alloc_get_type(&parts);
	printf("members: anonymous at %lu, then %lu\n", (unsigned long)p->related[1].un.memb.off,
		(unsigned long)p->related[2].un.memb.off);
	static auto lambda = [a = captured, b = &captured](int n) { return a + *b + n; };
	struct uniqtype *l = alloc_get_type(&lambda);
	printf("lambda: a class of %u bytes\n", l && UNIQTYPE_IS_COMPOSITE_TYPE(l) ? (unsigned)l->pos_maxoff : 0);
	printf("function: %s\n", type((void *)function));
	void *member = dlsym(RTLD_DEFAULT, "_ZN3geo5Shape6numberEv");
	printf("member function: %s\n", type(member));
	char *in_square = (char *)&square + 8;
	printf("inner of the base's member: %s, Square's: %s, then %s\n", name(alloc_get_inner_type(in_square, 0)),
		name(alloc_get_inner_type(in_square, 1)), name(alloc_get_inner_type(in_square, 2)));
	shape.number();
	return 0;
}
//@ ldflags: -rdynamic
