// LangGraph as a rival: its prebuilt agent, streamed. Takes the options of
// bench_node.mjs and --packages, a folder in which `@langchain/langgraph`,
// `@langchain/core` and `@langchain/openai` are installed; with --store FILE
// every step is kept by `@langchain/langgraph-checkpoint-sqlite`. Prints one
// JSON object of the same figures.
import { measure, options, importFrom } from './rival.mjs'

const o = options()
const { createReactAgent } =
  await importFrom(o, '@langchain/langgraph/prebuilt')
const { tool } = await importFrom(o, '@langchain/core/tools')
const { ChatOpenAI } = await importFrom(o, '@langchain/openai')
let checkpointer
if (o.store) {
  const { SqliteSaver } =
    await importFrom(o, '@langchain/langgraph-checkpoint-sqlite')
  checkpointer = SqliteSaver.fromConnString(o.store)
  checkpointer.db.pragma('journal_mode=WAL')
  checkpointer.db.pragma('synchronous=FULL')
}
const llm = new ChatOpenAI({
  model: o.model, apiKey: 'k', streaming: true, maxTokens: 256,
  temperature: 0.6, configuration: { baseURL: `${o.url}/v1` },
})

await measure(o, async (prompt, count, number) => {
  const tick = tool(async ({ n }) => {
    count.rounds++
    return JSON.stringify({ ok: n })
  }, {
    name: o.tool.name,
    description: o.tool.description,
    schema: o.tool.parameters,
  })
  const agent = createReactAgent({
    llm, tools: [tick], prompt: o.system, checkpointer,
  })
  const parts = await agent.stream(
    { messages: [{ role: 'user', content: prompt }] },
    { streamMode: 'messages', recursionLimit: 300,
      configurable: { thread_id: `conversation-${number}` } })
  for await (const [message] of parts)
    if (message.content && message.getType() === 'ai') count.texts++
})
