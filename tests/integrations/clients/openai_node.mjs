// The story with OpenAI's package for TypeScript: by chat completions, or by responses where the third word says so.
import OpenAI from "openai";
import { VERSION } from "openai/version";

const [url, key, told, api] = process.argv.slice(2);
const story = JSON.parse(told);
const askedOfTool = [];
const client = new OpenAI({ baseURL: url, apiKey: key, maxRetries: 0 });
const parameters = { type: "object", properties: { place: { type: "string" } }, required: ["place"] };
const weather = { name: "weather", description: "Tell the weather of a place.", parameters };
const named = (user) => (user ? { user } : {});

function called(text) {
  askedOfTool.push(JSON.parse(text).place);
  return "It rains.";
}

const chat = {
  async said(user, content) {
    const messages = [{ role: "user", content }];
    const answer = await client.chat.completions.create({ model: "tirtha", messages, ...named(user) });
    return answer.choices[0].message.content;
  },
  async pieces(user, content) {
    const messages = [{ role: "user", content }];
    const stream = await client.chat.completions.create({ model: "tirtha", messages, stream: true, ...named(user) });
    const parts = [];
    for await (const chunk of stream) parts.push(chunk.choices[0]?.delta?.content ?? "");
    return parts.filter((part) => part);
  },
  async withTool(user, content) {
    const run = client.chat.completions.runTools({
      model: "tirtha",
      messages: [{ role: "user", content }],
      tools: [{ type: "function", function: { ...weather, function: called } }],
      ...named(user),
    });
    return await run.finalContent();
  },
};

const responses = {
  async said(user, input) {
    return (await client.responses.create({ model: "tirtha", input, ...named(user) })).output_text;
  },
  async pieces(user, input) {
    const stream = client.responses.stream({ model: "tirtha", input, ...named(user) });
    const parts = [];
    for await (const event of stream) if (event.type === "response.output_text.delta") parts.push(event.delta);
    return parts;
  },
  async withTool(user, input) {
    const tools = [{ type: "function", ...weather }];
    let answer = await client.responses.create({ model: "tirtha", input, tools, ...named(user) });
    for (let calls = answer.output.filter((item) => item.type === "function_call"); calls.length; calls = []) {
      const results = calls.map((call) => ({
        type: "function_call_output",
        call_id: call.call_id,
        output: called(call.arguments),
      }));
      // Only what is new is sent: the response before is named.
      const more = { model: "tirtha", input: results, previous_response_id: answer.id, tools, ...named(user) };
      answer = await client.responses.create(more);
    }
    return answer.output_text;
  },
};

const by = api === "responses" ? responses : chat;
console.log(
  JSON.stringify({
    versions: { openai: VERSION, node: process.versions.node },
    told: await by.said("ann", story.tell),
    known: await by.said("ann", story.ask),
    foreign: await by.said("bob", story.ask),
    unnamed: await by.said(null, story.ask),
    pieces: await by.pieces("ann", story.stream),
    tool_answer: await by.withTool("ann", story.tool),
    asked_of_tool: askedOfTool,
  }),
);
