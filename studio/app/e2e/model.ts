// A language model that says what a test wants: a server that speaks the chat
// completions of OpenAI, as a stream. What it answers depends on the message that
// it was asked alone, and on how far the conversation is.

import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Call {
  name: string;
  arguments: Record<string, unknown>;
}

/** A Turn is one reply: calls of tools, or none before the gate of that name is opened. */
export type Turn = Call[] | { until: string; then: Call[] };

interface Asked {
  messages: { role: string; content: unknown }[];
}

export class Model {
  private readonly gates = new Map<string, (() => void)[]>();
  private readonly opened = new Set<string>();

  private constructor(private readonly server: Server, readonly port: number) {}

  static async start(scripts: Record<string, Turn[]>): Promise<Model> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const model = new Model(server, (server.address() as AddressInfo).port);
    server.on('request', (request, answer) => {
      let body = '';
      request.on('data', (part: Buffer) => (body += part.toString()));
      request.on('end', () => {
        if (request.headers.authorization === 'Bearer wrong') {
          answer.writeHead(401, { 'Content-Type': 'application/json' }).end('{"error":{"message":"Incorrect API key provided"}}');
          return;
        }
        const { messages } = JSON.parse(body) as Asked;
        const said = JSON.stringify(messages.filter((m) => m.role === 'user')), turn = messages.filter((m) => m.role === 'assistant').length;
        const script = Object.entries(scripts).find(([message]) => said.includes(message))?.[1] ?? [];
        void model.reply(answer, script[turn] ?? [{ name: 'finish', arguments: { summary: 'There is nothing more to do.' } }], turn);
      });
    });
    return model;
  }

  /** open has the model go on that waits at a gate, or comes to it later. */
  open(gate: string): void {
    this.opened.add(gate);
    for (const go of this.gates.get(gate) ?? []) go();
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private async reply(answer: ServerResponse, turn: Turn, n: number): Promise<void> {
    answer.writeHead(200, { 'Content-Type': 'text/event-stream' });
    if (!Array.isArray(turn)) {
      const { until, then } = turn;
      if (!this.opened.has(until)) await new Promise<void>((go) => this.gates.set(until, [...this.gates.get(until) ?? [], go]));
      turn = then;
    }
    const send = (chunk: unknown) => answer.write(`data: ${JSON.stringify(chunk)}\n\n`);
    const calls = turn.map((c, index) => ({ index, id: `call_${n}_${index}`, type: 'function', function: { name: c.name, arguments: JSON.stringify(c.arguments) } }));
    send({ choices: [{ index: 0, delta: { role: 'assistant', tool_calls: calls }, finish_reason: null }] });
    send({ choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }], usage: { prompt_tokens: 900, completion_tokens: 40 } });
    answer.end('data: [DONE]\n\n');
  }
}
