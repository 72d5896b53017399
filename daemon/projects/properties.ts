/** The ZFS properties that a project may bring along: those that change how it is kept, and nobody else's business. */
import { setProperties } from '../../native/zfs/dataset.ts'
import { value } from '../../native/zfs/get.ts'
import type { DatasetName } from '../../native/zfs/names.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { ProjectHost } from './host.ts'

/**
 * Not mountpoint, canmount, exec, setuid, devices or sharing: whoever may name a project's properties must not reach past
 * the project. Not recordsize above 128K: its streams would be refused by others.
 */
const ALLOWED: Readonly<Record<string, RegExp>> = {
  compression: /^(?:on|off|lz4|lzjb|gzip|gzip-[1-9]|zle|zstd|zstd-[0-9]{1,2})$/,
  recordsize: /^(?:512|1K|2K|4K|8K|16K|32K|64K|128K)$/,
  readonly: /^(?:on|off)$/,
}

/** Rejects with `property-not-allowed`, which names those that are. */
export function checkProperties(properties: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(properties)) {
    const pattern = ALLOWED[name]
    if (pattern?.test(text)) continue
    throw new TidepoolError(
      'property-not-allowed',
      pattern ? `${name} of a project can't be ${text}` : `${name} is no property that a project may have`,
      { hint: `A project may have: ${Object.keys(ALLOWED).join(', ')}.` },
    )
  }
}

/** What this ZFS can't do is left as the pool has it: a project must open on every host. */
export async function applyProperties(
  { zfs }: ProjectHost,
  name: DatasetName,
  properties: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [property, text] of Object.entries(properties)) {
    if (!ALLOWED[property]?.test(text)) continue
    if (property === 'compression' && !isKnown(zfs.capabilities.compression, text)) continue
    if ((await value(zfs, name, property)) !== text) await setProperties(zfs, name, { [property]: text })
  }
}

function isKnown({ lz4, zstd }: { readonly lz4: boolean; readonly zstd: boolean }, text: string): boolean {
  if (text === 'lz4') return lz4
  return text.startsWith('zstd') ? zstd : true
}
