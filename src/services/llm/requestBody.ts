/** The body of a request as text. What is the same for thousands of requests is serialised once. Pure. */
import type { ChatRequest, ResponseSchema } from './chat.ts';
import { bodyOf, type BodyOptions } from './wire.ts';

const NO_MESSAGES = '"messages":[]';

/** The text is that of `JSON.stringify(bodyOf(request, options))`. */
export function bodySerialiser(options: BodyOptions): (request: ChatRequest) => string {
  let constant: Constant | null = null;
  return (request) => {
    if (constant === null || !isOf(constant, request)) constant = constantOf(request, options);
    const messages = request.messages.map(({ role, content }) => ({ role, content }));
    return `${constant.head}"messages":${JSON.stringify(messages)}${constant.tail}`;
  };
}

/** Everything around the messages, for one sampling, schema and index. */
interface Constant {
  readonly sampling: ChatRequest['sampling'];
  readonly responseSchema: ResponseSchema | undefined;
  readonly index: number | undefined;
  readonly head: string;
  readonly tail: string;
}

/** By identity: the requests of a stage share their sampling and schema. */
function isOf(constant: Constant, { sampling, responseSchema, index }: ChatRequest): boolean {
  return (
    constant.sampling === sampling && constant.responseSchema === responseSchema && constant.index === index
  );
}

function constantOf(request: ChatRequest, options: BodyOptions): Constant {
  const text = JSON.stringify(bodyOf({ ...request, messages: [] }, options));
  // The model's name comes before, as JSON: its quotes are escaped, so it cannot hold this text.
  const at = text.indexOf(NO_MESSAGES);
  return {
    sampling: request.sampling,
    responseSchema: request.responseSchema,
    index: request.index,
    head: text.slice(0, at),
    tail: text.slice(at + NO_MESSAGES.length),
  };
}
