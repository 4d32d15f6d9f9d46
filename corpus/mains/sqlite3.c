/* Runs the SQL of standard input on a database in memory and prints the rows. With -k it exits without closing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sqlite3.h"

static char *read_all(FILE *file)
{
	size_t length = 0, capacity = 1 << 16, got;
	char *text = malloc(capacity);
	while (text && (got = fread(text + length, 1, capacity - length - 1, file)) > 0)
		if ((length += got) == capacity - 1)
			text = realloc(text, capacity *= 2);
	if (text)
		text[length] = '\0';
	return text;
}

static int print_row(void *arg, int columns, char **values, char **names)
{
	(void) arg, (void) names;
	for (int i = 0; i < columns; i++)
		printf("%s%s", i ? "|" : "", values[i] ? values[i] : "NULL");
	putchar('\n');
	return 0;
}

int main(int argc, char **argv)
{
	sqlite3 *database;
	char *sql = read_all(stdin), *message = NULL;
	if (!sql || sqlite3_open(":memory:", &database) != SQLITE_OK)
		return 2;
	if (sqlite3_exec(database, sql, print_row, NULL, &message) != SQLITE_OK) {
		fprintf(stderr, "%s\n", message);
		return 1;
	}
	if (argc == 2 && strcmp(argv[1], "-k") == 0)
		return 0;
	free(sql);
	return sqlite3_close(database) == SQLITE_OK ? 0 : 1;
}
