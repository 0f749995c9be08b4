/* URLs of tools and the patterns they are held against: what is let through
 * is a host, lower case, with a port, that reads the same a second time; an
 * address among the numbers is public. */
#include "tool/address.h"
#include "tool/fetch_parts.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        __builtin_trap();
}

/* The input is a pattern, a line break, and a URL. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), *normal = NULL, *again = NULL;
    struct er_origin origin, second;
    check(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    char *url = strchr(text, '\n');
    if (url)
        *url++ = '\0';
    else
        url = text;
    if (er_fetch_read_url(url, &origin, &normal, NULL) == ERRAND_OK) {
        check(origin.host[0] && origin.port >= 1 && origin.port <= 65535);
        for (const char *c = origin.host; *c; c++)
            check(!(*c >= 'A' && *c <= 'Z') && (unsigned char)*c > ' ' &&
                  !strchr("/?#@\\", *c));
        check(er_fetch_read_url(normal, &second, &again, NULL) ==
              ERRAND_OK);
        check(er_origin_same(&origin, &second));
        bool fits = er_net_pattern_fits(text, &origin);
        check(!fits || er_net_pattern_ok(text));
        check(!er_net_names(text, &origin) || strchr(text, ':'));
        (void)er_address_why_text(origin.host);
    }
    curl_free(normal);
    curl_free(again);
    free(text);
    return 0;
}
