/* Loaded by shared.c. */
struct clash {
	double theirs;
};
struct opaque {
	int a, b, c;
};
struct list {
	struct list *next;
	long value;
};

struct list common_list;
int other_array[5];
struct clash other_clash;
struct opaque *other_opaque;

int subtract(int a, int b)
{
	return a - b;
}

const char *call_with_local(const char *(*f)(void *))
{
	int local = 3;
	const char *answer = f(&local);
	return local ? answer : "";
}
