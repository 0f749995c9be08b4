// The leanest rival in Node: the requests of an agent's conversations in a
// loop over fetch, with no library and nothing stored. The tool is a function
// of this program. Takes the options of bench_curl, prints one JSON object of
// the same figures.
import { parseArgs } from 'node:util'

const { values: o } = parseArgs({
  options: {
    url: { type: 'string' },
    conversations: { type: 'string', default: '1' },
    parallel: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '8' },
    tokens: { type: 'string', default: '100' },
    delay: { type: 'string', default: '0' },
    stream: { type: 'boolean', default: true },
  },
})
const delay = o.delay === '0' ? '' : `-delay-${o.delay}`
const model = o.rounds === '0' ? `text-${o.tokens}${delay}`
  : `rounds-${o.rounds}${delay}`
const tick = ({ n }) => ({ ok: n })
const tools = [{
  type: 'function',
  function: {
    name: 'tick',
    description: 'Count one step',
    parameters: {
      type: 'object',
      properties: { n: { type: 'integer', description: 'which step' } },
      required: ['n'],
    },
  },
}]
let rounds = 0
let texts = 0

// One answer: its text, and its calls put together from their deltas.
async function ask(messages) {
  const answer = await fetch(`${o.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer k' },
    body: JSON.stringify({
      model, messages, tools, max_tokens: 256, temperature: 0.6,
      stream: true, stream_options: { include_usage: true },
    }),
  })
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`)
  const message = { role: 'assistant', content: '' }
  const decoder = new TextDecoder()
  let rest = ''
  for await (const bytes of answer.body) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
    rest = lines.pop()
    for (const line of lines) read(message, line)
  }
  return message
}

function read(message, line) {
  if (!line.startsWith('data: ') || line === 'data: [DONE]') return
  const delta = JSON.parse(line.slice(6)).choices?.[0]?.delta
  if (delta?.content) {
    message.content += delta.content
    texts++
  }
  for (const piece of delta?.tool_calls ?? []) {
    message.tool_calls ??= []
    const call = message.tool_calls[piece.index] ??= {
      id: piece.id, type: 'function',
      function: { name: piece.function.name, arguments: '' },
    }
    call.function.arguments += piece.function.arguments ?? ''
  }
}

async function converse(number) {
  const messages = [
    { role: 'system',
      content: 'You are a helpful assistant with access to tools.' },
    { role: 'user', content: `conversation ${number}: count the steps` },
  ]
  for (;;) {
    const message = await ask(messages)
    messages.push(message)
    if (!message.tool_calls) return
    for (const call of message.tool_calls) {
      const result = tick(JSON.parse(call.function.arguments))
      messages.push({ role: 'tool', tool_call_id: call.id,
        content: JSON.stringify(result) })
      rounds++
    }
  }
}

let next = 0
async function work() {
  while (next < Number(o.conversations)) await converse(next++)
}

const began = process.hrtime.bigint()
await Promise.all(Array.from({ length: Number(o.parallel) }, work))
const wall = Number(process.hrtime.bigint() - began) / 1e6
const used = process.resourceUsage()
console.log(JSON.stringify({
  wall_ms: wall,
  cpu_ms: (used.userCPUTime + used.systemCPUTime) / 1e3,
  peak_rss_kib: used.maxRSS,
  rounds, texts,
  rounds_per_s: rounds / wall * 1e3,
}))
