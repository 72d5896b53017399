/** The verbs of a project as typed calls. Each may be called twice, so each is asked again while a daemon restarts. */
import { randomUUID } from 'node:crypto'
import type { CallOptions, Client } from './client.ts'

export interface ProjectView {
  readonly id: string
  readonly state: string
  readonly owner: string | null
  readonly head: string | null
  readonly quotaBytes: string | null
  readonly properties: Readonly<Record<string, string>>
  readonly uid: number | null
  readonly gid: number | null
}

export interface OpenedView extends ProjectView {
  /** Where its users find it, and where it is mounted. */
  readonly path: string
  readonly realPath: string
}

export interface CreateOptions {
  readonly quotaBytes?: bigint
  readonly owner?: { readonly uid: number; readonly gid: number }
  readonly properties?: Readonly<Record<string, string>>
}

export type SavedView = ProjectView &
  (
    | { readonly kind: 'unchanged'; readonly point: string }
    | {
        readonly kind: 'saved'
        readonly point: string
        readonly bytes: string
        readonly placement: 'head' | 'side' | 'parallel'
      }
  )

type Options = Pick<CallOptions, 'signal'>

export class ProjectVerbs {
  readonly #client: Pick<Client, 'call'>

  constructor(client: Pick<Client, 'call'>) {
    this.#client = client
  }

  create(id: string, { quotaBytes, ...set }: CreateOptions = {}, options: Options = {}): Promise<OpenedView> {
    const body = { id, ...set, ...(quotaBytes !== undefined && { quotaBytes: String(quotaBytes) }) }
    return this.#client.call('POST', '/v1/projects', {
      ...options,
      body,
      headers: { 'idempotency-key': randomUUID() },
    })
  }

  get(id: string, options: Options = {}): Promise<ProjectView> {
    return this.#client.call('GET', `/v1/projects/${id}`, options)
  }

  open(id: string, options?: Options): Promise<OpenedView & { readonly notes: readonly string[] }> {
    return this.#post(id, 'open', options)
  }

  save(id: string, options?: Options): Promise<SavedView> {
    return this.#post(id, 'save', options)
  }

  close(id: string, options?: Options): Promise<ProjectView> {
    return this.#post(id, 'close', options)
  }

  evict(
    id: string,
    options?: Options,
  ): Promise<ProjectView & { readonly point: string; readonly freedBytes: string }> {
    return this.#post(id, 'evict', options)
  }

  destroy(id: string, options?: Options): Promise<ProjectView> {
    return this.#post(id, 'destroy', options)
  }

  undelete(id: string, options?: Options): Promise<ProjectView> {
    return this.#post(id, 'undelete', options)
  }

  move(id: string, to: string, options?: Options): Promise<ProjectView> {
    return this.#post(id, 'move', options, { to })
  }

  /** Null for no limit. */
  setQuota(id: string, quotaBytes: bigint | null, options?: Options): Promise<ProjectView> {
    return this.#put(id, 'quota', { quotaBytes: quotaBytes === null ? null : String(quotaBytes) }, options)
  }

  /** Those that are named; null for as the pool has it. */
  setProperties(
    id: string,
    properties: Readonly<Record<string, string | null>>,
    options?: Options,
  ): Promise<ProjectView> {
    return this.#put(id, 'properties', { properties }, options)
  }

  rollBack(id: string, point: string, options?: Options): Promise<OpenedView> {
    return this.#post(id, 'rollback', options, { point })
  }

  restore(
    id: string,
    which: { readonly point: string } | { readonly at: string },
    options?: Options,
  ): Promise<{ readonly id: string; readonly point: string; readonly path: string }> {
    return this.#post(id, 'restore', options, which)
  }

  #put<Answer>(id: string, what: string, body: unknown, options: Options = {}): Promise<Answer> {
    return this.#client.call('PUT', `/v1/projects/${id}/${what}`, { ...options, body, repeatable: true })
  }

  #post<Answer>(id: string, verb: string, options: Options = {}, body?: unknown): Promise<Answer> {
    return this.#client.call('POST', `/v1/projects/${id}/${verb}`, {
      ...options,
      ...(body !== undefined && { body }),
      repeatable: true,
    })
  }
}
