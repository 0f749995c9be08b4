/* Two tables, after IANA's registries of special-purpose addresses
 * (https://www.iana.org/assignments/iana-ipv4-special-registry and -ipv6-).
 *
 * IPv4: what is not listed is public. IPv6: only 2000::/3 is, without what
 * is listed, and addresses that carry an IPv4 one are what that one is. */
#include "tool/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const struct v4_row {
    unsigned char net[4];
    int bits;
    const char *why;
} v4_rows[] = {
    {{0, 0, 0, 0}, 8, "this host"},
    {{10, 0, 0, 0}, 8, "private"},
    {{100, 64, 0, 0}, 10, "shared by a carrier"},
    {{127, 0, 0, 0}, 8, "loopback"},
    {{168, 63, 129, 16}, 32, "of a cloud's machinery"},
    {{169, 254, 0, 0}, 16, "link-local"},
    {{172, 16, 0, 0}, 12, "private"},
    {{192, 0, 0, 0}, 24, "reserved"},
    {{192, 0, 2, 0}, 24, "for documentation"},
    {{192, 88, 99, 0}, 24, "a relay for 6to4"},
    {{192, 168, 0, 0}, 16, "private"},
    {{198, 18, 0, 0}, 15, "for benchmarks"},
    {{198, 51, 100, 0}, 24, "for documentation"},
    {{203, 0, 113, 0}, 24, "for documentation"},
    {{224, 0, 0, 0}, 4, "multicast"},
    {{255, 255, 255, 255}, 32, "broadcast"},
    {{240, 0, 0, 0}, 4, "reserved"},
};

/* What stands at at is an IPv4 address that decides; its bits are turned
 * around if inverted. at is -1: the row itself decides. */
static const struct v6_row {
    unsigned char net[16];
    int bits;
    const char *why; /* NULL: public as far as this row knows */
    int at, also_at;
    bool inverted; /* the one at also_at */
} v6_rows[] = {
    {{[15] = 1}, 128, "loopback", -1, -1, false},
    {{0}, 128, "this host", -1, -1, false},
    {{0}, 96, "an IPv4 address in IPv6", -1, -1, false},
    {{[10] = 0xff, [11] = 0xff}, 96, "an IPv4 address in IPv6", -1, -1,
        false},
    {{[8] = 0xff, [9] = 0xff}, 96, "an IPv4 address in IPv6", -1, -1,
        false},
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, "a local translation", -1,
        -1, false},
    {{0x00, 0x64, 0xff, 0x9b}, 96, NULL, 12, -1, false}, /* NAT64 */
    {{0x20, 0x01, 0x00, 0x00}, 32, NULL, 4, 12, true},   /* Teredo */
    {{0x20, 0x01, 0x00, 0x00}, 23, "reserved", -1, -1, false},
    {{0x20, 0x01, 0x0d, 0xb8}, 32, "for documentation", -1, -1, false},
    {{0x20, 0x02}, 16, NULL, 2, -1, false}, /* 6to4 */
    {{0x3f, 0xff, 0x00}, 20, "for documentation", -1, -1, false},
    {{0x20}, 3, NULL, -1, -1, false}, /* the public ones */
    {{0xfc}, 7, "private", -1, -1, false},
    {{0xfe, 0x80}, 10, "link-local", -1, -1, false},
    {{0xfe, 0xc0}, 10, "site-local", -1, -1, false},
    {{0xff}, 8, "multicast", -1, -1, false},
    {{0}, 0, "reserved", -1, -1, false},
};

static bool starts_with_bits(
    const unsigned char *address, const unsigned char *net, int bits)
{
    size_t bytes = (size_t)bits / 8;
    int rest = bits % 8;
    if (memcmp(address, net, bytes) != 0)
        return false;
    return rest == 0 ||
           ((address[bytes] ^ net[bytes]) & (0xff << (8 - rest)) & 0xff) ==
               0;
}

static const char *why_v4(const unsigned char a[4])
{
    for (size_t i = 0; i < sizeof v4_rows / sizeof v4_rows[0]; i++)
        if (starts_with_bits(a, v4_rows[i].net, v4_rows[i].bits))
            return v4_rows[i].why;
    return NULL;
}

static const char *why_inside(
    const unsigned char *a, int at, bool inverted)
{
    unsigned char v4[4];
    if (at < 0)
        return NULL;
    memcpy(v4, a + at, 4);
    for (int i = 0; i < 4 && inverted; i++)
        v4[i] ^= 0xff;
    return why_v4(v4);
}

/* An interface of ISATAP carries the IPv4 address it tunnels to. */
static const char *why_isatap(const unsigned char *a)
{
    static const unsigned char mark[3] = {0x00, 0x5e, 0xfe};
    bool is = (a[8] & 0xfd) == 0 && memcmp(a + 9, mark, 3) == 0;
    return is ? why_inside(a, 12, false) : NULL;
}

static const char *why_v6(const unsigned char a[16])
{
    const struct v6_row *r = v6_rows;
    while (!starts_with_bits(a, r->net, r->bits))
        r++; /* the last row takes all */
    const char *why = r->why;
    if (!why)
        why = why_inside(a, r->at, false);
    if (!why)
        why = why_inside(a, r->also_at, r->inverted);
    return why ? why : why_isatap(a);
}

const char *er_address_why(const struct sockaddr *to)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    unsigned char bytes[16];
    if (to->sa_family == AF_INET) {
        memcpy(&v4, to, sizeof v4);
        memcpy(bytes, &v4.sin_addr, 4);
        return why_v4(bytes);
    }
    if (to->sa_family == AF_INET6) {
        memcpy(&v6, to, sizeof v6);
        memcpy(bytes, &v6.sin6_addr, 16);
        return why_v6(bytes);
    }
    return "no address of the internet";
}

const char *er_address_why_text(const char *host)
{
    char bare[64];
    unsigned char bytes[16];
    size_t len = strlen(host);
    if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
        host++;
        len -= 2;
    }
    if (len >= sizeof bare)
        return NULL;
    memcpy(bare, host, len);
    bare[len] = '\0';
    bare[strcspn(bare, "%")] = '\0'; /* the zone */
    if (inet_pton(AF_INET, bare, bytes) == 1)
        return why_v4(bytes);
    if (inet_pton(AF_INET6, bare, bytes) == 1)
        return why_v6(bytes);
    return NULL;
}
