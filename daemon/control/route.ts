/** One route of the API as a value: what it takes, checked by a schema, and what it does. The server and the document are made of these. */
import { z } from 'zod'
import { projectId } from '../../pipeline/base/ids.ts'
import type { Role } from '../auth/role.ts'
import type { Daemon } from '../daemon.ts'
import type { OnProgress } from '../projects/progress.ts'

export interface Call<Params, Body> {
  readonly daemon: Daemon
  readonly params: Params
  readonly body: Body
  /** `root`, `owner:<id>` or `token:<name>`. */
  readonly principal: string
  /** Where the caller is: an address, or the name of the socket. */
  readonly origin: string
  readonly requestId: string
  /** Fires when the caller has gone, or the time for it is over. */
  readonly signal: AbortSignal
  /** Hears how far a verb that may take long is. */
  readonly onProgress: OnProgress
  /** Its id, where it is an operation. */
  readonly operation?: string
  /** It may be the repetition of a request that was carried out: the caller has a key for it. */
  readonly again?: boolean
  /** Where a reader of events was when he was cut off. */
  readonly lastEventId?: string | undefined
}

export interface Route<Params = unknown, Body = unknown> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Names in braces are parameters: `/v1/projects/{id}`. */
  readonly path: string
  readonly about: string
  readonly needs: Role
  /** Whether whoever owns the project `{id}` may ask it of that project. @default false */
  readonly owner?: boolean
  /** Its name in operations and in the audit log. */
  readonly verb?: string
  /** Each call of it is an operation. */
  readonly long?: true
  /** Whether it is in the audit log; where it is required, it is refused when it can't be logged. */
  readonly audit?: 'noted' | 'required'
  /** @default application/json */
  readonly answers?: 'text/event-stream'
  readonly params: z.ZodType<Params>
  readonly body: z.ZodType<Body>
  /** Given, `run` resolves with `{ text }`, which is the answer. @default JSON */
  readonly contentType?: string
  /** What is answered, as an object; bigints leave as text. */
  run(call: Call<Params, Body>): Promise<object>
}

/** Keeps the types of what the schemas read. */
export const route = <Params, Body>(one: Route<Params, Body>): Route => one as unknown as Route

export const nothing = z.strictObject({}).default({})

export const checked = <T>(read: (text: string) => T, what: string) =>
  z.string().transform((text, context): T => {
    try {
      return read(text)
    } catch {
      context.addIssue({ code: 'custom', message: `is no ${what}` })
      return z.NEVER
    }
  })

export const anId = z.strictObject({ id: checked(projectId, 'project id') })

/** A whole number as text or, where it is small enough for JSON, as a number. */
export const bytesCount = z
  .union([z.string().regex(/^[0-9]{1,19}$/), z.int().nonnegative()])
  .transform((value) => BigInt(value))

export const pointGuid = z.string().regex(/^[0-9]{1,20}$/, 'is no GUID of a point')
