/* Host names, with what IDNA2008 asks of a label.
 *
 * Unicode's categories, scripts and directions come from PCRE2; so the rules
 * stand here as patterns. Two lists are our own, because PCRE2 has no table
 * of normal forms and combining classes. They were computed from Unicode 14
 * by the rules of RFC 5892: letters and marks that are not PVALID (unstable,
 * ignorable, old Hangul), and the viramas (combining class 9).
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "tool/schema_idna.h"

#include "tool/schema_punycode.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_HOST = 253,
    MAX_LABEL = 63,
    MAX_TEXT = 4 * MAX_LABEL, /* a label as UTF-8 */
    MAX_LABELS = 127,
};

#define UNSTABLE \
    "\\x{aa}-\\x{b5}\\x{ba}\\x{133}\\x{140}\\x{149}\\x{17f}" \
    "\\x{1c6}-\\x{1cc}\\x{1f3}\\x{2b0}-\\x{2b8}\\x{2e0}-\\x{2e4}" \
    "\\x{340}-\\x{341}\\x{343}-\\x{345}\\x{34f}\\x{374}\\x{37a}" \
    "\\x{3d0}-\\x{3d6}\\x{3f0}-\\x{3f2}\\x{3f5}\\x{587}" \
    "\\x{675}-\\x{678}\\x{958}-\\x{95f}\\x{9dc}-\\x{9df}\\x{a33}" \
    "\\x{a36}\\x{a59}-\\x{a5b}\\x{a5e}\\x{b5c}-\\x{b5d}\\x{e33}\\x{eb3}" \
    "\\x{edc}-\\x{edd}\\x{f43}\\x{f4d}\\x{f52}\\x{f57}\\x{f5c}\\x{f69}" \
    "\\x{f73}\\x{f75}-\\x{f79}\\x{f81}\\x{f93}\\x{f9d}\\x{fa2}\\x{fa7}" \
    "\\x{fac}\\x{fb9}\\x{10fc}\\x{1100}-\\x{11ff}\\x{13f8}-\\x{13fd}" \
    "\\x{17b4}-\\x{17b5}\\x{180b}-\\x{180f}\\x{1c80}-\\x{1c88}" \
    "\\x{1d2c}-\\x{1d2e}\\x{1d30}-\\x{1d3a}\\x{1d3c}-\\x{1d4d}" \
    "\\x{1d4f}-\\x{1d6a}\\x{1d78}\\x{1d9b}-\\x{1dbf}\\x{1e9a}-\\x{1e9b}" \
    "\\x{1f71}\\x{1f73}\\x{1f75}\\x{1f77}\\x{1f79}\\x{1f7b}" \
    "\\x{1f7d}-\\x{1fa7}\\x{1fb2}-\\x{1fb4}\\x{1fb7}-\\x{1fc4}\\x{1fc7}" \
    "\\x{1fd3}\\x{1fe3}\\x{1ff2}-\\x{1ff4}\\x{1ff7}-\\x{2149}" \
    "\\x{2c7c}-\\x{2c7d}\\x{2d6f}\\x{309f}\\x{30ff}\\x{3131}-\\x{318e}" \
    "\\x{a69c}-\\x{a69d}\\x{a770}\\x{a7f2}-\\x{a7f4}\\x{a7f8}-\\x{a7f9}" \
    "\\x{a960}-\\x{a97c}\\x{ab5c}-\\x{ab5f}\\x{ab69}-\\x{abbf}" \
    "\\x{d7b0}-\\x{fa0d}\\x{fa10}\\x{fa12}\\x{fa15}-\\x{fa1e}\\x{fa20}" \
    "\\x{fa22}\\x{fa25}-\\x{fa26}\\x{fa2a}-\\x{fb1d}\\x{fb1f}-\\x{fe0f}" \
    "\\x{fe70}-\\x{fe72}\\x{fe74}-\\x{ffdc}\\x{10781}-\\x{107ba}" \
    "\\x{1d165}-\\x{1d7ff}\\x{1ee00}-\\x{1fbf9}\\x{2f800}-\\x{2fa1d}" \
    "\\x{e0100}-\\x{e01ef}"
#define VIRAMA \
    "\\x{94d}\\x{9cd}\\x{a4d}\\x{acd}\\x{b4d}\\x{bcd}\\x{c4d}\\x{ccd}" \
    "\\x{d3b}\\x{d3c}\\x{d4d}\\x{dca}\\x{e3a}\\x{eba}\\x{f84}\\x{1039}" \
    "\\x{103a}\\x{1714}\\x{1715}\\x{1734}\\x{17d2}\\x{1a60}\\x{1b44}" \
    "\\x{1baa}\\x{1bab}\\x{1bf2}\\x{1bf3}\\x{2d7f}\\x{a806}\\x{a82c}" \
    "\\x{a8c4}\\x{a953}\\x{a9c0}\\x{aaf6}\\x{abed}\\x{10a3f}\\x{11046}" \
    "\\x{11070}\\x{1107f}\\x{110b9}\\x{11133}\\x{11134}\\x{111c0}" \
    "\\x{11235}\\x{112ea}\\x{1134d}\\x{11442}\\x{114c2}\\x{115bf}" \
    "\\x{1163f}\\x{116b6}\\x{1172b}\\x{11839}\\x{1193d}\\x{1193e}" \
    "\\x{119e0}\\x{11a34}\\x{11a47}\\x{11a99}\\x{11c3f}\\x{11d44}" \
    "\\x{11d45}\\x{11d97}"
/* Letters that do not join to the next one, so that no ZWNJ is needed. */
#define RIGHT_JOINING \
    "\\x{622}-\\x{625}\\x{627}\\x{629}\\x{62f}-\\x{632}\\x{648}" \
    "\\x{671}-\\x{673}\\x{675}-\\x{677}\\x{688}-\\x{699}\\x{6c0}" \
    "\\x{6c3}-\\x{6cb}\\x{6cd}\\x{6cf}\\x{6d2}\\x{6d3}\\x{6d5}\\x{6ee}\\x{6ef}"
#define JOINING "[\\p{sc:Arabic}\\p{sc:Syriac}\\p{sc:Nko}\\p{sc:Mandaic}" \
    "\\p{sc:Mongolian}\\p{sc:Phags_Pa}\\p{sc:Manichaean}" \
    "\\p{sc:Psalter_Pahlavi}\\p{sc:Adlam}\\p{sc:Hanifi_Rohingya}" \
    "\\p{sc:Sogdian}]"

/* One character, or one with its context (RFC 5892 appendix A). */
#define CHARACTER \
    "(?:[a-z0-9\\-\\x{df}\\x{3c2}\\x{6fd}\\x{6fe}\\x{f0b}\\x{3007}]" \
    "|(?<=l)\\x{b7}(?=l)" \
    "|\\x{375}(?=\\p{sc:Greek})" \
    "|(?<=\\p{sc:Hebrew})[\\x{5f3}\\x{5f4}]" \
    "|(?<=[" VIRAMA "])[\\x{200c}\\x{200d}]" \
    "|(?![" RIGHT_JOINING "])(?=\\p{L})" JOINING \
        "\\p{Mn}*+\\x{200c}(?=\\p{Mn}*+" JOINING ")" \
    "|[\\x{30fb}\\x{660}-\\x{669}\\x{6f0}-\\x{6f9}]" \
    "|(?![" UNSTABLE "\\x{640}\\x{7fa}\\x{302e}\\x{302f}" \
        "\\x{3031}-\\x{3035}\\x{303b}\\x{5f3}\\x{5f4}])" \
        "[\\p{Ll}\\p{Lo}\\p{Lm}\\p{Mn}\\p{Mc}\\p{Nd}])"

#define BC(x) "\\p{bc:" x "}"
#define WEAK BC("ES") BC("CS") BC("ET") BC("ON") BC("BN") BC("NSM")

enum pattern { LABEL, MIXED_DIGITS, RTL_ANY, RTL_LABEL, LTR_LABEL, PATTERNS };

static const char *const patterns[PATTERNS] = {
    [LABEL] =
        "\\A(?!-)(?!..--)(?!\\p{M})(?:(?!.*\\x{30fb})"
        "|(?=.*[\\p{sc:Hiragana}\\p{sc:Katakana}\\p{sc:Han}]))"
        CHARACTER "+(?<!-)\\z",
    [MIXED_DIGITS] =
        "[\\x{660}-\\x{669}].*[\\x{6f0}-\\x{6f9}]"
        "|[\\x{6f0}-\\x{6f9}].*[\\x{660}-\\x{669}]",
    /* RFC 5893, section 2 */
    [RTL_ANY] = "[" BC("R") BC("AL") BC("AN") "]",
    [RTL_LABEL] =
        "\\A(?=[" BC("R") BC("AL") "])"
        "(?!.*" BC("EN") ".*" BC("AN") ")(?!.*" BC("AN") ".*" BC("EN") ")"
        "[" BC("R") BC("AL") BC("AN") BC("EN") WEAK "]*"
        "[" BC("R") BC("AL") BC("AN") BC("EN") "]" BC("NSM") "*\\z",
    [LTR_LABEL] =
        "\\A" BC("L") "(?:[" BC("L") BC("EN") WEAK "]*"
        "[" BC("L") BC("EN") "])?" BC("NSM") "*\\z",
};

struct er_idna {
    pcre2_code *re[PATTERNS];
};

struct er_idna *er_idna_new(void)
{
    struct er_idna *idna = calloc(1, sizeof *idna);
    for (int i = 0; idna && i < PATTERNS; i++) {
        int code;
        PCRE2_SIZE at;
        idna->re[i] = pcre2_compile((PCRE2_SPTR)patterns[i],
            PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_DOTALL, &code, &at,
            NULL);
        if (!idna->re[i]) {
            er_idna_free(idna);
            return NULL;
        }
    }
    return idna;
}

void er_idna_free(struct er_idna *idna)
{
    for (int i = 0; idna && i < PATTERNS; i++)
        pcre2_code_free(idna->re[i]);
    free(idna);
}

/* One question. */
struct host {
    const struct er_idna *idna;
    pcre2_match_data *data;
    bool unicode;
    bool failed; /* no memory: the answer will be no */
};

static bool matches(
    struct host *h, enum pattern which, const char *s, size_t len)
{
    int rc = pcre2_match(h->idna->re[which], (PCRE2_SPTR)s, len, 0, 0,
        h->data, NULL);
    h->failed = h->failed || rc < PCRE2_ERROR_NOMATCH;
    return rc >= 0;
}

static bool is_letter_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9');
}

/* Letters, digits, hyphens; none at the ends. */
static bool is_ldh(const char *s, size_t len)
{
    if (len == 0 || len > MAX_LABEL || s[0] == '-' || s[len - 1] == '-')
        return false;
    for (size_t i = 0; i < len; i++)
        if (!is_letter_digit(s[i]) && s[i] != '-')
            return false;
    return true;
}

static bool is_a_label(const char *s, size_t len)
{
    return len > 4 && (s[0] | 0x20) == 'x' && (s[1] | 0x20) == 'n' &&
           s[2] == '-' && s[3] == '-';
}

/* The label as UTF-8 into out; 0 if it is no label. *octets: its length on
 * the wire. */
static size_t read_label(struct host *h, const char *s, size_t len,
    char out[MAX_TEXT], size_t *octets)
{
    bool ascii = true;
    *octets = 0;
    for (size_t i = 0; i < len; i++)
        ascii = ascii && (unsigned char)s[i] < 0x80;
    if (len == 0 || len > MAX_TEXT || (!ascii && !h->unicode))
        return 0;
    *octets = len;
    memcpy(out, s, len);
    if (ascii && !is_a_label(s, len))
        return is_ldh(s, len) && !(h->unicode && len > 3 && s[2] == '-' &&
                                     s[3] == '-') ? len : 0;
    if (ascii && !is_ldh(s, len))
        return 0;
    size_t n = ascii ? er_punycode_decode(s + 4, len - 4, out, MAX_TEXT)
                     : len;
    if (!ascii)
        *octets = er_punycode_length(s, len) + 4;
    if (n == 0 || *octets > MAX_LABEL || !matches(h, LABEL, out, n) ||
        matches(h, MIXED_DIGITS, out, n))
        return 0;
    return n;
}

/* Bytes of the separator at s; 0 if there is none. */
static size_t separator(const char *s, size_t left, bool unicode)
{
    static const char *const wide[] = {
        "\xE3\x80\x82", "\xEF\xBC\x8E", "\xEF\xBD\xA1"};
    if (left && *s == '.')
        return 1;
    for (int i = 0; unicode && left >= 3 && i < 3; i++)
        if (memcmp(s, wide[i], 3) == 0)
            return 3;
    return 0;
}

/* Once a label runs from right to left, all of them obey the Bidi rule. */
static bool bidi_ok(struct host *h, const char *s, size_t len)
{
    return matches(h, RTL_LABEL, s, len) || matches(h, LTR_LABEL, s, len);
}

/* Walk the labels; in the second walk the Bidi rule is asked of each. */
static bool walk(
    struct host *h, const char *s, size_t len, bool bidi, bool *rtl)
{
    size_t total = 0, from = 0, i = 0, octets;
    char label[MAX_TEXT];
    while (i <= len) {
        size_t sep = separator(s + i, len - i, h->unicode);
        if (i < len && !sep) {
            i++;
            continue;
        }
        size_t n = read_label(h, s + from, i - from, label, &octets);
        total += octets + (total > 0);
        if (n == 0 || total > MAX_HOST || (bidi && !bidi_ok(h, label, n)))
            return false;
        *rtl = *rtl || matches(h, RTL_ANY, label, n);
        if (i == len)
            break;
        i += sep;
        from = i;
    }
    return true;
}

bool er_idna_is_host(
    const struct er_idna *idna, const char *s, size_t len, bool unicode)
{
    struct host h = {.idna = idna, .unicode = unicode};
    bool rtl = false;
    if (!idna || len > 4 * MAX_HOST)
        return false;
    h.data = pcre2_match_data_create(1, NULL);
    bool ok = h.data && walk(&h, s, len, false, &rtl) &&
              (!rtl || walk(&h, s, len, true, &rtl));
    pcre2_match_data_free(h.data);
    return ok && !h.failed;
}
