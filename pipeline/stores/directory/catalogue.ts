/** The catalogue of a directory store: reads are looks at LMDB here, every change is one operation of its writer. */
import { randomUUID } from 'node:crypto'
import { TidepoolError } from '../../base/errors.ts'
import type { HostId, ProjectId } from '../../base/ids.ts'
import type { CallOptions, Catalogue, LogEntry, StoreInfo } from '../contract.ts'
import { changesPaths, type Operation } from './operations.ts'
import { type Look, readProject } from './read-project.ts'
import { decodeLog, decodeWriting, encodeLog, encodeWriting, storedTransaction } from './rows.ts'
import { decodeHost, decodeStatics, type Key, keys, under, utcDay } from './values.ts'

/** Entries of a list that are read at a time. */
const PAGE = 256
const LOG_DAYS = 35
const DAY_MS = 86_400_000
const NOTE_NAME_LENGTH = 400

export interface CatalogueSettings {
  /** What the store says of itself, in a file beside the catalogue. */
  readonly marker: {
    read(): Promise<StoreInfo>
    say(receivable: StoreInfo['receivable']): Promise<void>
  }
  readonly look: Look
  readonly write: (operation: Operation, what: string, options?: CallOptions) => Promise<boolean>
  /** After a transaction that may have changed which streams lead to a head. */
  readonly pathsChanged: (project: ProjectId, chainMark: string) => Promise<void>
}

export function directoryCatalogue(settings: CatalogueSettings): Catalogue {
  const { look, write, pathsChanged } = settings

  async function* list(
    range: { start: Key; end: Key },
    { signal }: CallOptions = {},
  ): AsyncGenerator<{ key: Key; value: string }> {
    let start = range.start
    let exclusiveStart = false
    for (;;) {
      signal?.throwIfAborted()
      const from = { start, exclusiveStart, end: range.end, limit: PAGE }
      const page = await look((reader) => [...reader.getRange(from)])
      for (const entry of page) {
        signal?.throwIfAborted()
        yield entry
      }
      const last = page.at(-1)
      if (!last || page.length < PAGE) return
      start = last.key
      exclusiveStart = true
    }
  }

  return {
    async info({ signal } = {}) {
      signal?.throwIfAborted()
      return settings.marker.read()
    },

    async setReceivable(receivable, { signal } = {}) {
      signal?.throwIfAborted()
      await settings.marker.say(receivable)
    },

    async read(project, { signal } = {}) {
      signal?.throwIfAborted()
      return readProject(look, project, { signal })
    },

    async apply(transaction, options) {
      const chainMark = randomUUID()
      const { what, project } = transaction
      const stored = storedTransaction(transaction)
      const happened = await write({ kind: 'apply', transaction: stored, chainMark }, what, options)
      if (happened && changesPaths(stored)) await pathsChanged(project, chainMark)
      return happened
    },

    async *projects(options) {
      for await (const { key, value } of list(under('project'), options)) {
        const id = key[1] as ProjectId
        const { life, owner, head } = decodeStatics(value, id)
        yield { id, life, owner, head }
      }
    },

    async readHost(host, { signal } = {}) {
      signal?.throwIfAborted()
      const text = await look((reader) => reader.get(keys.host(host)))
      return text === undefined ? undefined : decodeHost(text)
    },

    applyHost: (transaction, options) =>
      write({ kind: 'apply-host', transaction }, transaction.what, options),

    async *hosts(options) {
      for await (const { value } of list(under('host'), options)) yield decodeHost(value)
    },

    async noteWriting(host, entry, options) {
      const { writeId } = entry.row
      const key = keys.writing(host, writeId)
      await write({ kind: 'put', key, value: encodeWriting(entry) }, `note of write ${writeId}`, options)
    },

    async forgetWriting(host, writeId, options) {
      await write({ kind: 'remove', key: keys.writing(host, writeId) }, `end of write ${writeId}`, options)
    },

    async *writing(host: HostId, options) {
      for await (const { value } of list(under('writing', host), options)) yield decodeWriting(value)
    },

    async log(entry, options) {
      await write(logged(entry), `log of write ${entry.writeId}`, options)
    },

    async *logged(day, options) {
      for await (const { value } of list(under('log', day), options)) yield decodeLog(value)
    },

    async readNote(name, { signal } = {}) {
      signal?.throwIfAborted()
      return look((reader) => reader.get(keys.note(noteName(name))))
    },

    async writeNote(name, text, options) {
      const key = keys.note(noteName(name))
      const operation: Operation =
        text === undefined ? { kind: 'remove', key } : { kind: 'put', key, value: text }
      await write(operation, `note ${name}`, options)
    },

    async nowMs({ signal } = {}) {
      signal?.throwIfAborted()
      return Date.now()
    },

    async close() {},
  }
}

function logged(entry: LogEntry): Operation {
  return {
    kind: 'put',
    key: keys.log(entry.atMs, randomUUID()),
    value: encodeLog(entry),
    dropBefore: { start: ['log'], end: ['log', utcDay(entry.atMs - LOG_DAYS * DAY_MS)] },
  }
}

/** A key of LMDB has its limit. */
function noteName(name: string): string {
  if (name.length > 0 && name.length <= NOTE_NAME_LENGTH) return name
  throw new TidepoolError(
    'bad-note-name',
    `a note's name has 1 to ${NOTE_NAME_LENGTH} letters, not ${name.length}`,
    {
      hint: 'This is a mistake in the program: please report it.',
    },
  )
}
