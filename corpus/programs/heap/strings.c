// The functions of the C library that allocate a string behave as ever, variadic ones with all kinds of arguments.
//@ cflags: -O2 -D_FORTIFY_SOURCE=2
//@ modes: plain library valgrind ulimit
//@ stdout: strdup abc, strndup ab
//@ stdout: asprintf 25: 1 2.5 x 3 4 5 6 7.5 8 9 y (25)
//@ stdout: doubles 0.5 1.5 2.5 3.5 4.5 5.5 6.5 7.5 8.5 9.5
//@ stdout: no vector registers: 1 2 3 4 5 6 7 8
//@ stdout: getline 5: one|
//@ stdout: getdelim 4: tw,
//@ stdout: a long line of 5000 bytes came whole: 1
//@ stdout: end -1
//@ stdout: getcwd /, realpath /, current /
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__((noipa, format(printf, 1, 2))) static char *print(const char *format, ...)
{
	char *s = NULL;
	va_list list;
	va_start(list, format);
	if (vasprintf(&s, format, list) < 0) s = NULL;
	va_end(list);
	return s;
}

int main(void)
{
	volatile int one = 1;
	char *a = strdup("abc"), *b = strndup("abc", 2), *s;
	printf("strdup %s, strndup %s\n", a, b);
	free(a); free(b);

	int n = asprintf(&s, "%d %.1f %s %d %d %d %d %.1f %d %d %s", one, 2.5, "x", 3, 4, 5, 6, 7.5, 8, 9, "y");
	printf("asprintf %d: %s (%d)\n", n, s, (int) strlen(s));
	free(s);
	n = asprintf(&s, "%.1f %.1f %.1f %.1f %.1f %.1f %.1f %.1f %.1f %.1f", 0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5);
	printf("doubles %s\n", s);
	free(s);
	s = print("%d %d %d %d %d %d %d %d", one, 2, 3, 4, 5, 6, 7, 8);
	printf("no vector registers: %s\n", s);
	free(s);

	FILE *f = tmpfile();
	fputs("one|\ntw,", f);
	for (int i = 0; i < 5000; i++) fputc('z', f);
	rewind(f);
	char *line = NULL;
	size_t size = 0;
	n = (int) getline(&line, &size, f);
	printf("getline %d: %s", n, line);
	n = (int) getdelim(&line, &size, ',', f) + 1;
	printf("getdelim %d: %s\n", n, line);
	n = (int) getline(&line, &size, f);
	printf("a long line of %d bytes came whole: %d\n", n, strspn(line, "z") == 5000 && size > 5000);
	printf("end %d\n", (int) getline(&line, &size, f));
	free(line);
	fclose(f);

	char buffer[4096];
	if (chdir("/") != 0 || !getcwd(buffer, sizeof buffer) || strcmp(buffer, "/") != 0) return 1;
	char *cwd = getcwd(NULL, 0), *real = realpath("/usr/..", NULL), *current = get_current_dir_name();
	printf("getcwd %s, realpath %s, current %s\n", cwd, real, current);
	free(cwd); free(real); free(current);
	return 0;
}
