/* What churn.c asks of its plug-ins. */
struct plugin {
	const char *type;                              /* the name of what it makes */
	void *(*make)(unsigned long n);                /* n of these */
	void *made_for;                                /* a static of that type */
	int (*call)(int (*ask)(void *), int *is_here); /* calls with the address of a local */
};
