/* Linked into a program that seeds its random numbers with the time: it keeps the seed that the C library starts with. */
void srand(unsigned seed) { (void) seed; }
void srandom(unsigned seed) { (void) seed; }
