/** The API as an OpenAPI document, made of the same schemas that check the requests. */
import { z } from 'zod'
import type { Route } from './route.ts'

export function openapi(routes: readonly Route[], version: string): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const {
    method,
    path,
    about,
    needs,
    owner,
    params,
    body,
    long,
    answers = 'application/json',
  } of routes) {
    const properties = schemaOf(params).properties as Record<string, object> | undefined
    const takesBody = method !== 'GET' && method !== 'DELETE'
    paths[path] ??= {}
    paths[path][method.toLowerCase()] = {
      summary: about,
      'x-needs': needs,
      'x-owner': owner === true,
      parameters: [
        ...Object.entries(properties ?? {}).map(([name, schema]) => ({
          name,
          in: 'path',
          required: true,
          schema,
        })),
        ...(method === 'POST' ? [header('Idempotency-Key', KEY)] : []),
        ...(long ? [header('Prefer', PREFER)] : []),
        ...(answers === 'text/event-stream' ? [header('Last-Event-ID', LAST_EVENT)] : []),
      ],
      ...(takesBody && { requestBody: { content: { 'application/json': { schema: schemaOf(body) } } } }),
      responses: {
        200: { description: 'Done, or found done', content: { [answers]: {} } },
        ...(long && { 202: ACCEPTED }),
        default: {
          description: 'What went wrong, and what to do next',
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
        },
      },
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Tidepool', version },
    paths,
    components: { schemas: { Error: ERROR } },
  }
}

const schemaOf = (schema: z.ZodType): Record<string, unknown> =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Record<string, unknown>

const KEY =
  'The same key and body again get the same answer; another body 422. Kept for a day at most, in memory'
const PREFER = '`respond-async`: answer 202 at once, and go on'
const LAST_EVENT = 'Go on after this event'

const header = (name: string, description: string) => ({
  name,
  in: 'header',
  required: false,
  description,
  schema: { type: 'string' },
})

const ACCEPTED = {
  description: 'It is under way: Location is its operation',
  headers: { Location: { schema: { type: 'string' } } },
  content: { 'application/json': {} },
}

const ERROR = {
  type: 'object',
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message', 'temporary', 'facts'],
      properties: {
        code: { type: 'string' },
        message: { type: 'string' },
        hint: { type: 'string' },
        temporary: {
          type: 'boolean',
          description: 'The same request may succeed later with nothing changed',
        },
        facts: { type: 'object' },
      },
    },
  },
}
