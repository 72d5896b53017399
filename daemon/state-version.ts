/** In which form the state directory is, so that an older program than the one that wrote it last says so and leaves it alone. */
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { errnoOf, TidepoolError } from '../pipeline/base/errors.ts'
import { version } from './cli/package.ts'
import { readStateFile, writeStateFile } from './projects/state-file.ts'

/** Raised by whatever an older program would read wrongly. */
export const STATE_VERSION = 1

const FILE = 'version.json'
const schema = z.object({
  state: z.int().min(1),
  /** The program that wrote it, for people. */
  tidepool: z.string(),
})

/** Rejects with `state-newer`. A directory without a word of it is of a program from before there were versions: the first. */
export async function claimState(directory: string): Promise<void> {
  const file = join(directory, FILE)
  const found = await foundIn(file)
  if (found && found.state > STATE_VERSION)
    throw new TidepoolError(
      'state-newer',
      `${directory} was written by Tidepool ${found.tidepool} (form ${found.state}); this is ${version()}, which reads up to form ${STATE_VERSION}`,
      {
        hint: `Install Tidepool ${found.tidepool} or later again.`,
        facts: { directory, found: found.state, known: STATE_VERSION, by: found.tidepool },
      },
    )
  if (found?.state === STATE_VERSION && found.tidepool === version()) return
  // Mounts may be beside it, to which everybody has to get.
  await mkdir(dirname(directory), { recursive: true, mode: 0o711 })
  await writeStateFile(file, { state: STATE_VERSION, tidepool: version() })
}

async function foundIn(file: string): Promise<z.infer<typeof schema> | undefined> {
  try {
    return await readStateFile(file, schema)
  } catch (cause) {
    if (errnoOf(cause) !== undefined) throw cause
    throw new TidepoolError('state-damaged', `${file} cannot be read as what it is`, {
      cause,
      hint: 'Look at it. Where nothing else in its directory is damaged it may be removed.',
    })
  }
}
