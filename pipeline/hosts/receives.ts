/**
 * Which stream features each host can receive, noted by itself in the store, so that whoever changes what the store allows sees whom
 * it would shut out. A hint: a host tells it when it starts, and its pool may have changed since.
 */
import { z } from 'zod'
import type { HostId } from '../base/ids.ts'
import type { CallOptions, Catalogue } from '../stores/contract.ts'

/** A note and no column: a table of an earlier version has none, and nothing is decided by it. */
const noteOf = (host: HostId): string => `host/${host}/receives`

const schema = z.object({ features: z.array(z.string()) })

/** Writes only what differs: a start that finds it said costs one read. */
export async function noteReceives(
  catalogue: Catalogue,
  host: HostId,
  features: readonly string[],
  options: CallOptions = {},
): Promise<void> {
  const text = JSON.stringify({ features: [...features].sort() })
  if ((await catalogue.readNote(noteOf(host), options)) === text) return
  await catalogue.writeNote(noteOf(host), text, options)
}

/** Undefined where it never said so, or in words that are not ours. */
export async function receivesOf(
  catalogue: Catalogue,
  host: HostId,
  options: CallOptions = {},
): Promise<readonly string[] | undefined> {
  const text = await catalogue.readNote(noteOf(host), options)
  return text === undefined ? undefined : featuresIn(text)
}

function featuresIn(text: string): readonly string[] | undefined {
  try {
    return schema.parse(JSON.parse(text)).features
  } catch {
    return undefined
  }
}
