/** `stream put`: stores one stream of `zfs send` in a project, which is made where it is not there yet. */
import { TidepoolError } from '../../../pipeline/base/errors.ts'
import { type ProjectId, projectId, type WriteId } from '../../../pipeline/base/ids.ts'
import { humanBytes } from '../../../pipeline/base/units.ts'
import { placementOf } from '../../../pipeline/graph/placement.ts'
import type { Project } from '../../../pipeline/graph/state.ts'
import { applyTransaction } from '../../../pipeline/graph/transaction.ts'
import { createProject } from '../../../pipeline/graph/transitions/life.ts'
import type { OpenedStore } from '../../../pipeline/stores/open.ts'
import type { StreamBegin } from '../../../pipeline/stream/parser.ts'
import type { Source } from '../../../pipeline/transfer/chunker.ts'
import { MAX_CHUNK_BYTES, MIN_CHUNK_BYTES } from '../../../pipeline/transfer/manifest.ts'
import { type Put, putStream } from '../../../pipeline/transfer/put.ts'
import type { Cli, Verb } from '../cli.ts'
import { inputOf } from '../input.ts'
import { utcTime } from '../output.ts'
import { peek } from '../peek.ts'
import { Progress } from '../progress.ts'
import { type SessionOptions, withProject } from '../session.ts'
import { parseSize } from '../units.ts'

interface Options {
  readonly chunkSize?: string
  readonly takeOver?: boolean
}

export const verb: Verb<[project: string, file: string], Options> = {
  configure(command) {
    command
      .argument('<project>', 'its id; it is made where it is not there yet')
      .argument('[file]', 'the output of one `zfs send`; - is standard input', '-')
      .option('--chunk-size <size>', "64K to 4M (default: the store's)")
      .option(
        '--take-over',
        'where a host owns the project, watch it, and take over if it is silent for 5 minutes',
      )
      .addHelpText(
        'after',
        `
A step that starts at the head moves the head, and so does the first full stream. A step from another point, and a
full stream beside a head, becomes a side point; where its end is a point already, it is one more way to it.`,
      )
  },

  async run(cli, [name, file], options) {
    const project = projectId(name)
    const chunkBytes = chunkBytesOf(options.chunkSize)
    const input = await inputOf(file, cli.surroundings.stdin)
    await cli.withStore(async (opened) => {
      const peeked = await peek(input.open, cli.signal)
      try {
        await refuseBaseless(opened, project, peeked.begin, cli.signal)
        const startedMs = cli.clock.monotonicMs()
        const put = await putOwned(cli, opened, {
          project,
          chunkBytes,
          source: peeked.source,
          bytes: input.bytes,
          takeOver: options.takeOver === true,
        })
        await report(cli, project, put, cli.clock.monotonicMs() - startedMs)
      } finally {
        await peeked.close()
      }
    })
  },
}

/** Before the project is made or taken: a stream that can't be placed leaves no trace. */
async function refuseBaseless(
  { store }: OpenedStore,
  id: ProjectId,
  begin: StreamBegin,
  signal: AbortSignal,
): Promise<void> {
  const project =
    (await store.catalogue.read(id, { signal })) ??
    (applyTransaction(undefined, createProject(id, { owner: null, nowMs: 0 })) as Project)
  placementOf(project, begin.fromGuid, begin.toGuid)
}

interface Task {
  readonly project: ProjectId
  readonly chunkBytes: number | undefined
  readonly source: Source
  /** How long the stream is, where that is known. */
  readonly bytes: bigint | undefined
  readonly takeOver: boolean
}

async function putOwned(
  cli: Cli,
  opened: OpenedStore,
  { project, chunkBytes, source, bytes, takeOver }: Task,
): Promise<Put> {
  const { stderr } = cli.surroundings
  const progress = new Progress(`put ${project}`, bytes, {
    stderr,
    clock: cli.clock,
    limiter: opened.limiter,
  })
  const { store, limiter } = opened
  const { signal, clock } = cli
  const sessionOptions: SessionOptions = {
    clock,
    signal,
    onLeftOver: (what, error) => cli.warn(what, error),
    ...(takeOver && {
      takeOver: ({ host, name }) => cli.say(`watching whether host ${host} (${name}) is still alive`),
    }),
  }
  let writeId: WriteId | undefined
  try {
    return await withProject(store.catalogue, project, sessionOptions, (session) =>
      putStream(source, {
        ...session,
        store,
        limiter,
        project,
        chunkBytes,
        onBegin: (_begin, id) => {
          writeId = id
        },
        onProgress: (stored) => progress.update(stored),
      }),
    )
  } catch (error) {
    progress.end()
    if (writeId) cli.say(await remains(opened, project, writeId))
    throw error
  } finally {
    progress.end()
  }
}

/** Not the command's signal: what remains is asked because that has fired. */
const REMAINS_LIMIT_MS = 5_000

/** After a failure: what is left of the write in the store, in words. */
async function remains({ store }: OpenedStore, id: ProjectId, writeId: WriteId): Promise<string> {
  const signal = AbortSignal.timeout(REMAINS_LIMIT_MS)
  const project = await store.catalogue.read(id, { signal }).catch(() => undefined)
  switch (project?.rows.get(writeId)?.state) {
    case 'deleted':
      return `nothing was committed: write ${writeId} was ended, and nothing of it remains`
    case 'aborted':
    case 'deleting':
      return `nothing was committed: write ${writeId} was ended; \`tidepool scrub --delete\` removes what remains of it`
    case 'writing':
      return `nothing was committed: \`tidepool scrub --delete\` ends write ${writeId} and removes what remains of it`
    case 'committed':
    case 'superseded':
      return `write ${writeId} is committed`
    default:
      return `what remains of write ${writeId} is not known: \`tidepool scrub\` tells`
  }
}

const PLACED = {
  head: 'the head',
  side: 'a side point',
  parallel: 'one more way to a point',
} as const

async function report(cli: Cli, id: ProjectId, put: Put, elapsedMs: number): Promise<void> {
  const { manifest, project } = put
  await cli.out.one(
    {
      writeId: put.writeId,
      project: id,
      placement: put.placement,
      from: put.from,
      to: put.to,
      head: project.statics.head,
      snapshot: manifest.stream.toName,
      snapshotAt: utcTime(manifest.stream.createdAtMs),
      bytes: manifest.bytes,
      logicalBytes: manifest.stream.logicalBytes,
      chunkBytes: manifest.chunkBytes,
      chunkCount: manifest.chunkCount,
      rootDigest: manifest.rootDigest,
      features: manifest.stream.features,
      elapsedMs: Math.round(elapsedMs),
    },
    () => [
      `stored write ${put.writeId} of ${id}`,
      `  ${put.from === null ? 'full stream' : `step from ${put.from}`} to ${put.to} (${manifest.stream.toName}): ${PLACED[put.placement]}`,
      `  ${humanBytes(manifest.bytes)} in ${(elapsedMs / 1000).toFixed(1)} s`,
    ],
  )
}

function chunkBytesOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const bytes = parseSize(text)
  if (bytes < MIN_CHUNK_BYTES || bytes > MAX_CHUNK_BYTES)
    throw new TidepoolError('bad-size', `chunks of ${humanBytes(bytes)} can't be stored`, {
      hint: `Choose ${humanBytes(MIN_CHUNK_BYTES)} to ${humanBytes(MAX_CHUNK_BYTES)}.`,
    })
  return Number(bytes)
}
