// The story with the AI SDK of Vercel: `@ai-sdk/openai` calls responses, and chat completions by `.chat`.
import { createRequire } from "node:module";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, isStepCount, streamText, tool } from "ai";
import { z } from "zod";

const [url, key, told, api] = process.argv.slice(2);
const story = JSON.parse(told);
const askedOfTool = [];

const weather = tool({
  description: "Tell the weather of a place.",
  inputSchema: z.object({ place: z.string() }),
  execute: async ({ place }) => {
    askedOfTool.push(place);
    return "It rains.";
  },
});

// A model of a user: the header names them in each of its calls.
function model(user) {
  const headers = user ? { "X-Tirtha-User": user } : {};
  const openai = createOpenAI({ baseURL: url, apiKey: key, headers });
  return api === "responses" ? openai("tirtha") : openai.chat("tirtha");
}

async function said(user, prompt, more = {}) {
  return (await generateText({ model: model(user), prompt, maxRetries: 0, ...more })).text;
}

async function pieces(user, prompt) {
  const parts = [];
  for await (const part of streamText({ model: model(user), prompt, maxRetries: 0 }).textStream) parts.push(part);
  return parts;
}

const require = createRequire(import.meta.url);
const version = (name) => require(`${name}/package.json`).version;
console.log(
  JSON.stringify({
    versions: { ai: version("ai"), "@ai-sdk/openai": version("@ai-sdk/openai"), node: process.versions.node },
    told: await said("ann", story.tell),
    known: await said("ann", story.ask),
    foreign: await said("bob", story.ask),
    unnamed: await said(null, story.ask),
    pieces: await pieces("ann", story.stream),
    tool_answer: await said("ann", story.tool, { tools: { weather }, stopWhen: isStepCount(3) }),
    asked_of_tool: askedOfTool,
  }),
);
