// A conversation as a user of the official client for OpenAI's API would
// have it: node openai.mjs KIND. The endpoint and its key come from the
// environment, as the client reads it and errand too. What is asked and how
// is written out here and a second time, for errand, in
// tests/cli/openai_client.bats: that the two agree is what is tested.
import OpenAI from 'openai';

const tools = [
  {
    type: 'function',
    function: {
      name: 'add',
      description: 'Add two numbers',
      parameters: {
        type: 'object',
        properties: {
          a: { type: 'number', description: 'first' },
          b: { type: 'number', description: 'second' },
        },
        required: ['a', 'b'],
      },
    },
  },
  {
    type: 'function', // errand offers this one by itself beside any other
    function: {
      name: 'read_more',
      description:
        'Read on in a tool result of this conversation that was cut',
      parameters: {
        type: 'object',
        properties: {
          handle: {
            type: 'string',
            description: 'handle from the place where the result was cut',
          },
          offset: {
            type: 'integer',
            minimum: 0,
            description: 'first byte to read',
          },
          length: {
            type: 'integer',
            minimum: 1,
            maximum: 32768,
            description: 'how many bytes, 8192 if left out',
          },
        },
        required: ['handle', 'offset'],
        additionalProperties: false,
      },
    },
  },
  {
    type: 'function',
    function: {
      name: 'weather',
      description: 'Tell the weather of a town',
      parameters: {
        type: 'object',
        properties: {
          town: { type: 'string', description: 'its name' },
          unit: { type: 'string', enum: ['C', 'F'] },
          days: { type: 'array', items: { type: 'integer' } },
        },
        required: ['town'],
        additionalProperties: false,
      },
    },
  },
];

const run = {
  add: ({ a, b }) => JSON.stringify({ sum: a + b }),
  weather: ({ town }) => `in ${town}: 21 °C, “sunny”\n`,
};

const format = {
  type: 'json_schema',
  json_schema: {
    name: 'answer',
    strict: true,
    schema: {
      type: 'object',
      properties: { town: { type: 'string' }, sum: { type: 'number' } },
      required: ['town', 'sum'],
      additionalProperties: false,
    },
  },
};

const streamed = { stream: true, stream_options: { include_usage: true } };
const kinds = {
  whole: { tools, tool_choice: 'auto' },
  stream: { tools, tool_choice: 'auto', ...streamed },
  helper: { tools, tool_choice: 'auto', ...streamed },
  schema: { tools, response_format: format, ...streamed },
  'schema-whole': { tools, response_format: format },
  named: {
    tools,
    tool_choice: { type: 'function', function: { name: 'weather' } },
  },
  required: { tools, tool_choice: 'required' },
  none: { tools, tool_choice: 'none' },
};

const sampling = {
  max_tokens: 512,
  temperature: 0.2,
  top_p: 0.9,
  seed: 7,
  frequency_penalty: 0.5,
  presence_penalty: 1,
};

const client = new OpenAI({ maxRetries: 0 });
const kind = process.argv[2];
if (!kinds[kind]) throw new Error(`no such kind: ${kind}`);
const request = { model: 'script', ...sampling, ...kinds[kind] };

// The message that the pieces of a stream make.
async function join(stream) {
  const message = { role: 'assistant', content: '' };
  for await (const { choices } of stream) {
    const delta = choices[0]?.delta ?? {};
    message.content += delta.content ?? '';
    for (const piece of delta.tool_calls ?? []) {
      const calls = (message.tool_calls ??= []);
      const call = (calls[piece.index] ??= {
        id: piece.id,
        type: 'function',
        function: { name: piece.function.name, arguments: '' },
      });
      call.function.arguments += piece.function.arguments ?? '';
    }
  }
  return message;
}

async function ask(messages) {
  const body = { ...request, messages };
  const { completions } = client.chat;
  if (kind === 'helper') return completions.stream(body).finalMessage();
  const answer = await completions.create(body);
  return body.stream ? join(answer) : answer.choices[0].message;
}

const messages = [
  { role: 'system', content: 'Be brief.\nUse "tools" — if need be.' },
];
for (const text of ['Grüß Gott 👋 from Graz: 1.5 + 2?', 'And once more?']) {
  messages.push({ role: 'user', content: text });
  for (;;) {
    const message = await ask(messages);
    messages.push(message);
    if (!message.tool_calls?.length) break;
    for (const { id, function: f } of message.tool_calls)
      messages.push({
        role: 'tool',
        tool_call_id: id,
        content: run[f.name](JSON.parse(f.arguments)),
      });
  }
  console.log(messages.at(-1).content);
}
