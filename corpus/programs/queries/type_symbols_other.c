/* Loaded by type_symbols.c. */
struct clash {
	double theirs;
};
struct only_there {
	long a, b, c;
};
struct hidden {
	char bytes[3];
};

struct clash other_clash;
struct only_there an_only_there;
struct hidden a_hidden_one;
