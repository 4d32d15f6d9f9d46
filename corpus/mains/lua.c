/* Runs one Lua script with the standard libraries. A script may leave with os.exit, which keeps its state alive. */
#include <stdio.h>
#include <stdlib.h>

#include "lauxlib.h"
#include "lua.h"
#include "lualib.h"

int main(int argc, char **argv)
{
	lua_State *state = luaL_newstate();
	if (argc != 2 || !state) {
		fprintf(stderr, "usage: lua SCRIPT\n");
		return 2;
	}
	luaL_openlibs(state);
	if (luaL_dofile(state, argv[1]) != LUA_OK) {
		fprintf(stderr, "%s\n", lua_tostring(state, -1));
		return 1;
	}
	lua_close(state);
	return 0;
}
