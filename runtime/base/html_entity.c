/* Character references: &amp; &#228; &#xE4; and the names that pages use,
 * sorted by bytes. */
#include "html.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const struct name {
    const char *name;
    unsigned code;
} names[] = {
    {"AElig", 198}, {"AMP", 38}, {"Aacute", 193}, {"Acirc", 194},
    {"Agrave", 192}, {"Alpha", 913}, {"Aring", 197}, {"Atilde", 195},
    {"Auml", 196}, {"Beta", 914}, {"COPY", 169}, {"Ccaron", 268},
    {"Ccedil", 199}, {"Chi", 935}, {"Dagger", 8225}, {"Delta", 916},
    {"ETH", 208}, {"Eacute", 201}, {"Ecirc", 202}, {"Egrave", 200},
    {"Epsilon", 917}, {"Eta", 919}, {"Euml", 203}, {"GT", 62}, {"Gamma", 915},
    {"Iacute", 205}, {"Icirc", 206}, {"Igrave", 204}, {"Iota", 921},
    {"Iuml", 207}, {"Kappa", 922}, {"LT", 60}, {"Lambda", 923},
    {"Lstrok", 321}, {"Mu", 924}, {"NewLine", 10}, {"Ntilde", 209},
    {"Nu", 925}, {"OElig", 338}, {"Oacute", 211}, {"Ocirc", 212},
    {"Ograve", 210}, {"Omega", 937}, {"Omicron", 927}, {"Oslash", 216},
    {"Otilde", 213}, {"Ouml", 214}, {"Phi", 934}, {"Pi", 928},
    {"Prime", 8243}, {"Psi", 936}, {"QUOT", 34}, {"REG", 174}, {"Rho", 929},
    {"Scaron", 352}, {"Sigma", 931}, {"THORN", 222}, {"Tab", 9}, {"Tau", 932},
    {"Theta", 920}, {"Uacute", 218}, {"Ucirc", 219}, {"Ugrave", 217},
    {"Upsilon", 933}, {"Uuml", 220}, {"Xi", 926}, {"Yacute", 221},
    {"Yuml", 376}, {"Zcaron", 381}, {"Zeta", 918}, {"aacute", 225},
    {"acirc", 226}, {"acute", 180}, {"aelig", 230}, {"agrave", 224},
    {"alefsym", 8501}, {"alpha", 945}, {"amp", 38}, {"and", 8743},
    {"ang", 8736}, {"apos", 39}, {"aring", 229}, {"ast", 42}, {"asymp", 8776},
    {"atilde", 227}, {"auml", 228}, {"bdquo", 8222}, {"beta", 946},
    {"brvbar", 166}, {"bsol", 92}, {"bull", 8226}, {"cap", 8745},
    {"ccaron", 269}, {"ccedil", 231}, {"cedil", 184}, {"cent", 162},
    {"check", 10003}, {"chi", 967}, {"circ", 710}, {"clubs", 9827},
    {"colon", 58}, {"comma", 44}, {"commat", 64}, {"cong", 8773},
    {"copy", 169}, {"crarr", 8629}, {"cup", 8746}, {"curren", 164},
    {"dArr", 8659}, {"dagger", 8224}, {"darr", 8595}, {"dash", 8208},
    {"deg", 176}, {"delta", 948}, {"diams", 9830}, {"divide", 247},
    {"dollar", 36}, {"eacute", 233}, {"ecaron", 283}, {"ecirc", 234},
    {"egrave", 232}, {"empty", 8709}, {"emsp", 8195}, {"ensp", 8194},
    {"epsilon", 949}, {"equals", 61}, {"equiv", 8801}, {"eta", 951},
    {"eth", 240}, {"euml", 235}, {"euro", 8364}, {"excl", 33},
    {"exist", 8707}, {"fnof", 402}, {"forall", 8704}, {"frac12", 189},
    {"frac14", 188}, {"frac34", 190}, {"frasl", 8260}, {"gamma", 947},
    {"gbreve", 287}, {"ge", 8805}, {"grave", 96}, {"gt", 62}, {"hArr", 8660},
    {"harr", 8596}, {"hearts", 9829}, {"hellip", 8230}, {"hyphen", 8208},
    {"iacute", 237}, {"icirc", 238}, {"iexcl", 161}, {"igrave", 236},
    {"image", 8465}, {"infin", 8734}, {"inodot", 305}, {"int", 8747},
    {"iota", 953}, {"iquest", 191}, {"isin", 8712}, {"iuml", 239},
    {"kappa", 954}, {"lArr", 8656}, {"lambda", 955}, {"lang", 9001},
    {"laquo", 171}, {"larr", 8592}, {"lbrace", 123}, {"lbrack", 91},
    {"lceil", 8968}, {"ldquo", 8220}, {"le", 8804}, {"lfloor", 8970},
    {"lowast", 8727}, {"lowbar", 95}, {"loz", 9674}, {"lpar", 40},
    {"lrm", 8206}, {"lsaquo", 8249}, {"lsquo", 8216}, {"lstrok", 322},
    {"lt", 60}, {"macr", 175}, {"mdash", 8212}, {"micro", 181},
    {"middot", 183}, {"minus", 8722}, {"mu", 956}, {"nabla", 8711},
    {"nbsp", 160}, {"ndash", 8211}, {"ne", 8800}, {"ni", 8715}, {"not", 172},
    {"notin", 8713}, {"nsub", 8836}, {"ntilde", 241}, {"nu", 957},
    {"num", 35}, {"oacute", 243}, {"ocirc", 244}, {"odblac", 337},
    {"oelig", 339}, {"ograve", 242}, {"oline", 8254}, {"omega", 969},
    {"omicron", 959}, {"oplus", 8853}, {"or", 8744}, {"ordf", 170},
    {"ordm", 186}, {"oslash", 248}, {"otilde", 245}, {"otimes", 8855},
    {"ouml", 246}, {"para", 182}, {"part", 8706}, {"percnt", 37},
    {"period", 46}, {"permil", 8240}, {"perp", 8869}, {"phi", 966},
    {"phone", 9742}, {"pi", 960}, {"piv", 982}, {"plus", 43}, {"plusmn", 177},
    {"pound", 163}, {"prime", 8242}, {"prod", 8719}, {"prop", 8733},
    {"psi", 968}, {"quest", 63}, {"quot", 34}, {"rArr", 8658},
    {"radic", 8730}, {"rang", 9002}, {"raquo", 187}, {"rarr", 8594},
    {"rbrace", 125}, {"rbrack", 93}, {"rcaron", 345}, {"rceil", 8969},
    {"rdquo", 8221}, {"real", 8476}, {"reg", 174}, {"rfloor", 8971},
    {"rho", 961}, {"rlm", 8207}, {"rpar", 41}, {"rsaquo", 8250},
    {"rsquo", 8217}, {"sbquo", 8218}, {"scaron", 353}, {"scedil", 351},
    {"sdot", 8901}, {"sect", 167}, {"semi", 59}, {"shy", 173}, {"sigma", 963},
    {"sigmaf", 962}, {"sim", 8764}, {"sol", 47}, {"spades", 9824},
    {"star", 9734}, {"sub", 8834}, {"sube", 8838}, {"sum", 8721},
    {"sup", 8835}, {"sup1", 185}, {"sup2", 178}, {"sup3", 179},
    {"supe", 8839}, {"szlig", 223}, {"tau", 964}, {"there4", 8756},
    {"theta", 952}, {"thetasym", 977}, {"thinsp", 8201}, {"thorn", 254},
    {"tilde", 732}, {"times", 215}, {"trade", 8482}, {"uArr", 8657},
    {"uacute", 250}, {"uarr", 8593}, {"ucirc", 251}, {"udblac", 369},
    {"ugrave", 249}, {"uml", 168}, {"upsih", 978}, {"upsilon", 965},
    {"uuml", 252}, {"verbar", 124}, {"weierp", 8472}, {"xi", 958},
    {"yacute", 253}, {"yen", 165}, {"yuml", 255}, {"zcaron", 382},
    {"zeta", 950}, {"zwj", 8205}, {"zwnj", 8204},
};

enum { NAMES = sizeof names / sizeof names[0], NAME_MOST = 10 };

size_t er_html_utf8(unsigned long code, char out[4])
{
    if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        code = 0xfffd;
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    out[0] = (char)((0xf00 >> n & 0xff) | code);
    return n;
}

unsigned long er_html_meant(unsigned long code)
{
    static const unsigned short table[32] = {0x20ac, 0x81, 0x201a, 0x192,
        0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152,
        0x8d, 0x17d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
        0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0x9d, 0x17e,
        0x178};
    return code >= 128 && code < 160 ? table[code - 128] : code;
}

static size_t read_number(const char *s, size_t len, char out[8], size_t *n)
{
    bool hex = len > 2 && (s[2] == 'x' || s[2] == 'X');
    size_t at = hex ? 3 : 2, first = at;
    unsigned long code = 0;
    for (; at < len && at < first + 8; at++) {
        char c = (char)tolower((unsigned char)s[at]);
        if (!isdigit((unsigned char)c) && !(hex && c >= 'a' && c <= 'f'))
            break;
        unsigned digit = c <= '9' ? (unsigned)(c - '0')
                                  : (unsigned)(c - 'a' + 10);
        code = code * (hex ? 16 : 10) + digit;
    }
    if (at == first)
        return 0;
    *n = er_html_utf8(er_html_meant(code), out);
    return at < len && s[at] == ';' ? at + 1 : at;
}

static int by_name(const void *key, const void *row)
{
    return strcmp(key, ((const struct name *)row)->name);
}

size_t er_html_entity(const char *s, size_t len, char out[8], size_t *n)
{
    char word[NAME_MOST + 1];
    size_t at = 1;
    *n = 0;
    if (len > 2 && s[1] == '#')
        return read_number(s, len, out, n);
    while (at < len && at <= NAME_MOST && isalnum((unsigned char)s[at]))
        at++;
    if (at == 1 || at >= len || s[at] != ';')
        return 0;
    memcpy(word, s + 1, at - 1);
    word[at - 1] = '\0';
    const struct name *row =
        bsearch(word, names, NAMES, sizeof names[0], by_name);
    if (!row)
        return 0;
    *n = er_html_utf8(row->code, out);
    return at + 1;
}
