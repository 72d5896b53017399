/** What an aborted call promises. */
import * as assert from 'uvu/assert'
import { OutcomeUnknownError } from '../../pipeline/base/errors.ts'
import { newWriteId } from '../../pipeline/base/ids.ts'
import type { CallOptions, Catalogue } from '../../pipeline/stores/contract.ts'
import type { Promised } from './catalogue.ts'
import {
  aHost,
  all,
  aProject,
  aRow,
  aStatics,
  change,
  creation,
  newProjectId,
  rejection,
  same,
} from './values.ts'

/** Every call, each able to find something. */
async function everyCall(
  catalogue: Catalogue,
): Promise<Record<string, (options: CallOptions) => Promise<unknown>>> {
  const project = newProjectId()
  const host = aHost()
  const entry = { project, row: aRow() }
  const logged = { atMs: Date.now(), project, writeId: entry.row.writeId, what: 'saved' }
  const name = `note ${project}`
  await catalogue.apply(creation(project, aStatics()))
  await catalogue.applyHost({ what: 'registration', host: host.host, if: 'absent', set: host })
  await catalogue.noteWriting(host.host, entry)
  await catalogue.log(logged)
  await catalogue.writeNote(name, 'text')
  return {
    info: (options) => catalogue.info(options),
    setReceivable: (options) => catalogue.setReceivable(null, options),
    read: (options) => catalogue.read(project, options),
    apply: (options) => catalogue.apply(change(project, { epoch: 1n }, { uid: 1 }), options),
    projects: (options) => all(catalogue.projects(options)),
    readHost: (options) => catalogue.readHost(host.host, options),
    applyHost: (options) =>
      catalogue.applyHost({ what: 'change', host: host.host, if: {}, set: { name: 'other' } }, options),
    hosts: (options) => all(catalogue.hosts(options)),
    noteWriting: (options) => catalogue.noteWriting(host.host, entry, options),
    forgetWriting: (options) => catalogue.forgetWriting(host.host, newWriteId(), options),
    writing: (options) => all(catalogue.writing(host.host, options)),
    log: (options) => catalogue.log(logged, options),
    logged: (options) => all(catalogue.logged(new Date(logged.atMs).toISOString().slice(0, 10), options)),
    readNote: (options) => catalogue.readNote(name, options),
    writeNote: (options) => catalogue.writeNote(name, 'text', options),
    nowMs: (options) => catalogue.nowMs(options),
  }
}

export function abortContract(promised: Promised): void {
  promised(
    'what is aborted before it begins rejects with the reason, and does nothing',
    async (catalogue) => {
      for (const [name, call] of Object.entries(await everyCall(catalogue))) {
        const reason = new Error(`no more ${name}`)
        assert.is(await rejection(call({ signal: AbortSignal.abort(reason) }), name), reason, name)
      }
      const id = newProjectId()
      const signal = AbortSignal.abort(new Error('no more'))
      await rejection(catalogue.apply(creation(id, aStatics()), { signal }), 'apply')
      assert.is(await catalogue.read(id), undefined)
    },
  )

  promised('a signal that fires later changes nothing', async (catalogue) => {
    const controller = new AbortController()
    for (const call of Object.values(await everyCall(catalogue))) await call({ signal: controller.signal })
    controller.abort(new Error('too late'))
    await new Promise((resolve) => setImmediate(resolve))
  })

  promised('what is aborted on the way rejects with the reason, or was quicker', async (catalogue) => {
    for (const [name, call] of Object.entries(await everyCall(catalogue))) {
      const reason = new Error(`no more ${name}`)
      const controller = new AbortController()
      const under = call({ signal: controller.signal }).then(
        () => reason,
        (error: unknown) => (error instanceof OutcomeUnknownError ? error.cause : error),
      )
      controller.abort(reason)
      assert.is(await under, reason, name)
    }
  })

  promised('a transaction that is aborted on the way happens whole or not at all', async (catalogue) => {
    const id = newProjectId()
    const row = aRow()
    await catalogue.apply(creation(id, aStatics()))
    const controller = new AbortController()
    const set = { rev: 2n, uid: 7 }
    const under = catalogue
      .apply(change(id, { rev: 1n }, set, [{ kind: 'insert', row }]), { signal: controller.signal })
      .catch((error: unknown) => error)
    controller.abort(new Error('no more'))
    const result = await under
    const project = await catalogue.read(id)
    const before = aProject(id, aStatics())
    const after = aProject(id, aStatics(set), [row])
    if (result === true) return same(project, after)
    // Any other rejection than "nobody knows" means that nothing happened.
    if (!(result instanceof OutcomeUnknownError)) return same(project, before)
    return same(project, project?.statics.rev === 2n ? after : before)
  })
}
