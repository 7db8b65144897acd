// Server-sent events as the answer to a POST, which EventSource can't send.

import { send } from '../../api/client.ts';

export interface StreamEvent {
  event: string;
  data: unknown;
}

/** parser cuts a stream into its events, wherever its chunks end. */
export function parser(): (chunk: string) => StreamEvent[] {
  let rest = '';
  return (chunk) => {
    rest = (rest + chunk).replace(/\r\n?/g, '\n');
    const blocks = rest.split('\n\n');
    rest = blocks.pop()!;
    return blocks.flatMap((block) => {
      let event = 'message';
      const data: string[] = [];
      for (const line of block.split('\n')) {
        if (line.startsWith('event:')) event = line.slice(6).trim();
        else if (line.startsWith('data:')) data.push(line.slice(5).replace(/^ /, ''));
      }
      return data.length > 0 ? [{ event, data: JSON.parse(data.join('\n')) as unknown }] : [];
    });
  };
}

/** stream posts and tells each event as it comes, until the answer ends or signal does. */
export async function stream(path: string, body: unknown, signal: AbortSignal, told: (event: StreamEvent) => void): Promise<void> {
  const answer = await send(path, { method: 'POST', body, signal, headers: { Accept: 'text/event-stream' } });
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  const parse = parser();
  for (;;) {
    const { done, value } = await reader.read();
    if (value) for (const event of parse(value)) told(event);
    if (done) return;
  }
}
