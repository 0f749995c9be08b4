// Vercel's AI SDK as a rival: its own loop over steps and tools, streamed,
// with nothing stored. Takes the options of bench_node.mjs and --packages, a
// folder in which `ai` and `@ai-sdk/openai-compatible` are installed; prints
// one JSON object of the same figures.
import { measure, options, importFrom } from './rival.mjs'

const o = options()
const { streamText, tool, jsonSchema, stepCountIs } = await importFrom(o, 'ai')
const { createOpenAICompatible } =
  await importFrom(o, '@ai-sdk/openai-compatible')
const provider = createOpenAICompatible({
  name: 'bench', baseURL: `${o.url}/v1`, apiKey: 'k',
})

await measure(o, async (prompt, count) => {
  const answer = streamText({
    model: provider(o.model),
    system: o.system,
    prompt,
    maxOutputTokens: 256,
    temperature: 0.6,
    stopWhen: stepCountIs(100),
    tools: {
      tick: tool({
        description: o.tool.description,
        inputSchema: jsonSchema(o.tool.parameters),
        execute: async ({ n }) => {
          count.rounds++
          return { ok: n }
        },
      }),
    },
    onError({ error }) { throw error },
  })
  for await (const part of answer.fullStream) {
    if (part.type === 'error') throw part.error
    if (part.type === 'text-delta') count.texts++
  }
})
