// What the rivals built on a framework share: options, the conversations to
// hold, and the figures they print.
import { createRequire } from 'node:module'
import { parseArgs } from 'node:util'
import { pathToFileURL } from 'node:url'

export function options() {
  const { values: o } = parseArgs({
    options: {
      url: { type: 'string' },
      packages: { type: 'string' },
      store: { type: 'string' },
      conversations: { type: 'string', default: '1' },
      parallel: { type: 'string', default: '1' },
      rounds: { type: 'string', default: '8' },
      tokens: { type: 'string', default: '100' },
      delay: { type: 'string', default: '0' },
      stream: { type: 'boolean', default: true },
    },
  })
  const delay = o.delay === '0' ? '' : `-delay-${o.delay}`
  return {
    ...o,
    model: o.rounds === '0' ? `text-${o.tokens}${delay}`
      : `rounds-${o.rounds}${delay}`,
    system: 'You are a helpful assistant with access to tools.',
    tool: {
      name: 'tick',
      description: 'Count one step',
      parameters: {
        type: 'object',
        properties: { n: { type: 'integer', description: 'which step' } },
        required: ['n'],
      },
    },
  }
}

// A package out of the folder that --packages names.
export async function importFrom(o, name) {
  const require = createRequire(`${o.packages}/package.json`)
  return import(pathToFileURL(require.resolve(name)).href)
}

// converse(prompt, count, number) holds one conversation and counts its
// calls as count.rounds and its pieces of text as count.texts.
export async function measure(o, converse) {
  const count = { rounds: 0, texts: 0 }
  let next = 0
  const work = async () => {
    while (next < Number(o.conversations)) {
      const number = next++
      await converse(`conversation ${number}: count the steps`, count, number)
    }
  }
  const began = process.hrtime.bigint()
  await Promise.all(Array.from({ length: Number(o.parallel) }, work))
  const wall = Number(process.hrtime.bigint() - began) / 1e6
  const used = process.resourceUsage()
  console.log(JSON.stringify({
    wall_ms: wall,
    cpu_ms: (used.userCPUTime + used.systemCPUTime) / 1e3,
    peak_rss_kib: used.maxRSS,
    ...count,
    rounds_per_s: count.rounds / wall * 1e3,
  }))
  process.exit(count.rounds === Number(o.conversations) * Number(o.rounds)
    ? 0 : 1)
}
