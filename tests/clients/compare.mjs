// Holds errand's requests against those of the official client, from the
// test endpoint's two logs: node compare.mjs HEADS BODIES. The n-th request
// of the one belongs to the n-th of the other. Every difference must stand
// in one of the tables below, with the reason why no server can object to
// it; any other is told and fails. The rows that were needed are printed.
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';

const ABSENT = undefined;

// Differences of bodies. A row: its name, where (as a path), what the client
// has there and what errand has (or when the two are the same), and why that
// is right.
const bodyRows = [
  {
    name: 'content of calls',
    at: /^messages\[\d+\]\.content$/,
    client: [null],
    errand: [''],
    why: 'beside calls both say "no text"; servers that want a text refuse ' +
      'null, and none refuses the empty text',
  },
  {
    name: 'refusal',
    at: /^messages\[\d+\]\.refusal$/,
    client: [null],
    errand: [ABSENT],
    why: "the client sends the answer's own members back; null says what " +
      'a missing one says',
  },
  {
    name: 'parsed',
    at: /^messages\[\d+\]\.parsed$/,
    client: [null],
    errand: [ABSENT],
    why: "a member of the client's helper, which the API does not have",
  },
  {
    name: 'arguments',
    at: /^messages\[\d+\]\.tool_calls\[\d+\]\.function\.arguments$/,
    same: (client, errand) =>
      isDeepStrictEqual(JSON.parse(client), JSON.parse(errand)),
    why: 'errand keeps what the model meant and writes it without the ' +
      "model's spaces: the same JSON",
  },
  {
    name: 'numbers',
    at: /^numbers$/,
    same: (client, errand) => isDeepStrictEqual(client, errand.map(plain)),
    why: 'errand writes 1 as 1.0 where the API wants a number, not an ' +
      'integer; a reader of floating point takes both',
  },
];

// Headers that one side has as it likes.
const freeHeaders = [
  [/^user-agent$/, 'each says its own name'],
  [/^x-stainless-/, 'the client tells its maker about itself'],
  [/^(host|connection|content-length)$/, 'checked by the endpoint as it ' +
    'reads; where the body ends is told by a length on both sides, below'],
  [/^accept-encoding$/, 'each names what it can unpack'],
  [/^(accept-language|sec-fetch-mode)$/, "added by Node's fetch"],
];

const headerRows = [
  {
    name: 'accept',
    at: /^accept$/,
    client: ['application/json'],
    errand: ['application/json, text/event-stream'],
    why: 'errand names the stream too, as it may be asked for one; what the ' +
      'client accepts is among it',
  },
];

// ---------------------------------------------------------------- comparing

const isObject = (v) => v !== null && typeof v === 'object';

function* differences(client, errand, at = '') {
  const both = isObject(client) && isObject(errand) &&
    Array.isArray(client) === Array.isArray(errand);
  if (!both) {
    if (!Object.is(client, errand)) yield { at, client, errand };
    return;
  }
  for (const key of new Set([...Object.keys(client), ...Object.keys(errand)])) {
    const place = Array.isArray(client) ? `${at}[${key}]`
      : at ? `${at}.${key}` : key;
    yield* differences(client[key], errand[key], place);
  }
}

// How numbers are written, after the name where they stand: 7.0 is refused
// by some where an integer is wanted, and JSON.parse does not tell it from 7.
function numbers(text) {
  const tokens = text.matchAll(/"(?:[^"\\]|\\.)*":?|-?\d[\d.eE+-]*/g);
  const found = [];
  let name = '';
  for (const [token] of tokens)
    if (token.endsWith(':')) name = token;
    else if (!token.startsWith('"')) found.push(name + token);
  return found.sort();
}

const real = /^"(?:temperature|top_p|(?:frequency|presence)_penalty)":/;
const plain = (n) => real.test(n) ? n.replace(/\.0$/, '') : n;

const used = new Set();
let wrong = 0;

function judge(rows, { at, client, errand }, which) {
  const has = (list, v) => list.some((one) => isDeepStrictEqual(one, v));
  const row = rows.find((r) => r.at.test(at) && (r.same
    ? r.same(client, errand)
    : has(r.client, client) && has(r.errand, errand)));
  if (row) {
    used.add(row.name);
    return;
  }
  wrong++;
  const show = (v) => v === ABSENT ? 'nothing' : JSON.stringify(v);
  console.error(`${which}: ${at}: the client has ${show(client)}, ` +
    `errand has ${show(errand)}`);
}

function compareHeads(client, errand, which) {
  const kept = (headers) => Object.fromEntries(Object.entries(headers)
    .filter(([name]) => !freeHeaders.some(([free]) => free.test(name))));
  for (const place of ['method', 'path'])
    for (const d of differences(client[place], errand[place], place))
      judge([], d, which);
  const [left, right] = [kept(client.headers), kept(errand.headers)];
  for (const d of differences(left, right)) judge(headerRows, d, which);
  for (const [who, { headers }] of Object.entries({ client, errand }))
    if (!(headers['content-length'] > 0)) {
      wrong++;
      console.error(`${which}: ${who} tells no length of the body`);
    }
}

function compareBodies(client, errand, which) {
  const pair = [JSON.parse(client), JSON.parse(errand)];
  for (const d of differences(...pair)) judge(bodyRows, d, which);
  const written = [numbers(client), numbers(errand)];
  if (!isDeepStrictEqual(...written))
    judge(bodyRows, { at: 'numbers', client: written[0],
      errand: written[1] }, which);
}

// ------------------------------------------------------------------ the logs

const lines = (path) => readFileSync(path, 'utf8').split('\n').slice(0, -1);
const [headsPath, bodiesPath] = process.argv.slice(2);
const bodies = lines(bodiesPath);
const requests = lines(headsPath).map((text, i) => {
  const head = JSON.parse(text);
  head.headers = Object.fromEntries( // HTTP reads names in any case
    Object.entries(head.headers).map(([k, v]) => [k.toLowerCase(), v]));
  return { head, body: bodies[i], by: head.headers['user-agent'] ?? '' };
});
const ours = requests.filter((r) => r.by.startsWith('errand/'));
const theirs = requests.filter((r) => r.by.startsWith('OpenAI/JS '));

if (bodies.length !== requests.length || ours.length === 0 ||
    ours.length !== theirs.length ||
    ours.length + theirs.length !== requests.length) {
  console.error(`${requests.length} heads, ${bodies.length} bodies, ` +
    `${theirs.length} of the client, ${ours.length} of errand`);
  process.exit(1);
}
ours.forEach((mine, i) => {
  compareHeads(theirs[i].head, mine.head, `request ${i + 1}, headers`);
  compareBodies(theirs[i].body, mine.body, `request ${i + 1}, body`);
});
for (const name of used) console.log(name);
process.exit(wrong ? 1 : 0);
