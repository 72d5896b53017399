/** `stream get`: brings the very bytes of one committed stream back, into a file or to standard output. */
import { stat } from 'node:fs/promises'
import { writeAtomically } from '../../../pipeline/base/atomic-file.ts'
import { errnoOf, TidepoolError } from '../../../pipeline/base/errors.ts'
import { humanBytes } from '../../../pipeline/base/units.ts'
import { download } from '../../../pipeline/transfer/download.ts'
import { extentOf } from '../../../pipeline/transfer/restore.ts'
import type { Cli, Verb } from '../cli.ts'
import { reasonOf } from '../errno.ts'
import { type FoundWrite, findWrite } from '../find.ts'
import { Progress } from '../progress.ts'

interface Options {
  readonly project?: string
}

export const verb: Verb<[write: string, file: string], Options> = {
  configure(command) {
    command
      .argument(
        '<write>',
        'PROJECT/ID, or an id alone; the beginning of an id will do where it is the only one',
      )
      .argument('[file]', 'where to; - is standard output', '-')
      .option('--project <id>', 'look for the id only there')
      .addHelpText(
        'after',
        `
A file appears complete or not at all. Every chunk is verified, and the digest of all before the end: on standard
output a failure shows only in the exit code, so look at it before you trust what came.`,
      )
  },

  async run(cli, [write, file], options) {
    if (file === '-') refuseTerminal(cli)
    else await refuseNonFile(file)
    await cli.withStore(async ({ store, limiter }) => {
      const { signal, clock } = cli
      const found = await findWrite(store.catalogue, write, { ...options, signal })
      const extent = extentOf(found.project.id, readable(found))
      const { stderr } = cli.surroundings
      const progress = new Progress(`get ${extent.project}`, extent.bytes, { stderr, clock, limiter })
      const startedMs = clock.monotonicMs()
      const bytes = counted(download(store.blobs, extent, { limiter, priority: 'open', signal }), progress)
      try {
        if (file === '-') for await (const piece of bytes) await cli.out.write(piece)
        else await writeAtomically(file, bytes)
      } catch (error) {
        throw outputError(file, error)
      } finally {
        progress.end()
      }
      if (file === '-') return
      const elapsedMs = Math.round(clock.monotonicMs() - startedMs)
      const { project, writeId, rootDigest } = extent
      await cli.out.one(
        { writeId, project, to: found.row.to, file, bytes: extent.bytes, rootDigest, elapsedMs },
        () => [`wrote ${file}: ${humanBytes(extent.bytes)} in ${(elapsedMs / 1000).toFixed(1)} s`],
      )
    })
  },
}

function refuseTerminal(cli: Cli): void {
  if (cli.surroundings.stdout.isTTY)
    throw new TidepoolError('bad-output', 'a stream is not for a terminal', {
      hint: 'Name a file, or pipe it: `tidepool stream get WRITE | zfs receive -u pool/x`.',
    })
}

/** A rename would put a file where a device or a pipe was. */
async function refuseNonFile(file: string): Promise<void> {
  try {
    if ((await stat(file)).isFile()) return
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return
    throw outputError(file, error)
  }
  throw new TidepoolError('bad-output', `${file} is there, and is not a file`, {
    hint: 'Give the name of a file; for a pipe or a device use - and redirect the output to it.',
  })
}

function readable({ project, row }: FoundWrite): FoundWrite['row'] {
  if (row.state === 'committed' || row.state === 'superseded') return row
  throw new TidepoolError('write-not-readable', `write ${row.writeId} of ${project.id} is ${row.state}`, {
    hint: `\`tidepool stream ls ${project.id}\` lists the writes that can be read.`,
  })
}

async function* counted(pieces: AsyncIterable<Buffer>, progress: Progress): AsyncGenerator<Buffer> {
  let done = 0n
  for await (const piece of pieces) {
    yield piece
    done += BigInt(piece.length)
    progress.update(done)
  }
}

function outputError(file: string, error: unknown): unknown {
  const errno = errnoOf(error)
  if (error instanceof TidepoolError || errno === undefined) return error
  return new TidepoolError('output-unwritable', `can't write ${file}: ${reasonOf(errno)}`, {
    cause: error,
    hint: 'No file was left there; what had that name before is as it was.',
  })
}
