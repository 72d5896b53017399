/** A directory of one demonstration's own, with the mark of who made it: what a killed one left is found by the next. */

import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { readMounts } from '../../native/mount/mountinfo.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { isGone, type ProcessIdentity, thisProcess } from '../../pipeline/base/process.ts'

export const PREFIX = 'tidepool-demo-'
/** Not /tmp, which is often memory. */
export const PLACES = '/var/tmp'
const OWNER = 'owner.json'

const owner = z
  .object({ bootId: z.string(), pid: z.int(), startTicks: z.string().transform(BigInt) })
  .transform((value): ProcessIdentity => value)

export async function makePlace(places = PLACES): Promise<string> {
  const self = thisProcess()
  const place = join(places, `${PREFIX}${randomBytes(4).toString('hex')}`)
  // Passed through by whoever touches a project in it.
  await mkdir(place, { mode: 0o711 })
  await writeFile(
    join(place, OWNER),
    JSON.stringify(self, (_key, value) => (typeof value === 'bigint' ? String(value) : value)),
  )
  return place
}

/** Those whose maker is certainly gone. */
export async function leftPlaces(places = PLACES): Promise<string[]> {
  const names = (await readdir(places)).filter((name) => /^tidepool-demo-[0-9a-f]{8}$/.test(name))
  const left: string[] = []
  for (const name of names) {
    const place = join(places, name)
    const text = await readFile(join(place, OWNER), 'utf8').catch(() => '')
    const marked = owner.safeParse(text === '' ? undefined : parsed(text))
    if (marked.success && isGone(marked.data)) left.push(place)
  }
  return left
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Killed while it was written.
    return undefined
  }
}

/** Refuses where something is mounted in it still: to remove would reach through that. */
export async function removePlace(place: string): Promise<void> {
  const below = (await readMounts()).filter(({ mountPoint }) => mountPoint.startsWith(`${place}/`))
  if (below.length > 0)
    throw new TidepoolError('demo-left', `${below[0]?.mountPoint} is mounted still, so ${place} stays`, {
      hint: 'Unmount it and run `tidepool demo` again, which removes what was left.',
    })
  await rm(place, { recursive: true, force: true })
}
