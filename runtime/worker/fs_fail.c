/* What went wrong with a file, in words. Apart from the rest because it needs
 * the standard's strerror_r, and they need more than the standard. */
#include "fs.h"

#include <errno.h>
#include <lauxlib.h>
#include <string.h>

int er_fs_fail(lua_State *L, const char *what, const char *path)
{
    int saved = errno;
    char text[96] = "";
    if (saved == ELOOP)
        return luaL_error(L, "cannot %s '%s': there is a link on the way",
            what, path);
    if (strerror_r(saved, text, sizeof text) != 0)
        text[0] = '\0';
    return luaL_error(L, "cannot %s '%s': %s", what, path, text);
}
