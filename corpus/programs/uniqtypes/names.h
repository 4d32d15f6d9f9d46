/* What the files of names.c have in common. */
#include <allocs.h>

struct point {
	long x, y;
};
extern struct uniqtype __uniqtype__point;

struct tally {
	int checked, right, unanswered;
};

void in_another_file(struct tally *tally);
void in_library(struct tally *tally);

/* Whether a name for the type of an object, and dlsym, give what queries do. */
__attribute__((unused)) static void check(struct tally *tally, const void *object, struct uniqtype *named, const char *symbol)
{
	struct uniqtype *type = alloc_get_type((void *) object);
	tally->checked++;
	if (!type)
		tally->unanswered++;
	else if (type == named && type == dlsym(RTLD_DEFAULT, symbol))
		tally->right++;
	else
		fprintf(stderr, "%s: %p, dlsym %p, query %p\n", symbol, (void *) named, dlsym(RTLD_DEFAULT, symbol), (void *) type);
}

__attribute__((unused)) static void report(const char *what, struct tally *tally)
{
	const char *result = "wrong";
	if (tally->right == tally->checked) result = "as queries say";
	if (tally->unanswered == tally->checked) result = "no answer";
	printf("%s: %s\n", what, result);
	*tally = (struct tally){ 0, 0, 0 };
}
