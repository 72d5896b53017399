/** The ZFS properties that a project may bring along: those that change how it is kept, and nobody else's business. */

import { inheritProperty, setProperties } from '../../native/zfs/dataset.ts'
import type { DatasetName, NativeProperty } from '../../native/zfs/names.ts'
import { allOf } from '../../pipeline/base/all-of.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { ProjectHost } from './host.ts'

export type ProjectProperties = Readonly<Record<string, string>>

/**
 * Not mountpoint, canmount, exec, setuid, devices or sharing: whoever may name a project's properties must not reach past
 * the project. Not recordsize above 128K: its streams would be refused by others.
 */
const ALLOWED: Readonly<Record<NativeProperty, RegExp>> = {
  compression: /^(?:on|off|lz4|lzjb|gzip|gzip-[1-9]|zle|zstd|zstd-(?:[1-9]|1[0-9]))$/,
  recordsize: /^(?:512|1K|2K|4K|8K|16K|32K|64K|128K)$/,
  readonly: /^(?:on|off)$/,
}

/** Their names. */
export const PROPERTIES = Object.keys(ALLOWED) as readonly NativeProperty[]

const isAllowed = (name: string): name is NativeProperty => Object.hasOwn(ALLOWED, name)

/** Rejects with `property-not-allowed`, which names those that are. */
export function checkPropertyName(name: string): asserts name is NativeProperty {
  if (!isAllowed(name)) throw notAllowed(`${JSON.stringify(name)} is no property that a project may have`)
}

/** The same, and where a value is none of its property's. */
export function checkProperties(properties: ProjectProperties): void {
  for (const [name, text] of Object.entries(properties)) {
    checkPropertyName(name)
    if (!ALLOWED[name].test(text)) throw notAllowed(`${name} of a project can't be ${JSON.stringify(text)}`)
  }
}

const notAllowed = (message: string): TidepoolError =>
  new TidepoolError('property-not-allowed', message, {
    hint: `A project may have: ${PROPERTIES.join(', ')}, with values as ZFS has them; a recordsize of 128K at most.`,
  })

/** A dataset, and what is set on it itself; nothing is where it was made a moment ago. */
export interface Given {
  readonly name: DatasetName
  readonly dataset?: { readonly user: ReadonlyMap<string, string> }
}

/**
 * Afterwards it has those and no others of its own. What this ZFS can't do is left as the pool has it: a project must open on every
 * host. Costs no command where nothing differs.
 */
export async function applyProperties(
  { zfs }: Pick<ProjectHost, 'zfs'>,
  { name, dataset }: Given,
  properties: ProjectProperties,
): Promise<void> {
  const wanted = new Map(
    Object.entries(properties).filter(
      ([property, text]) =>
        isAllowed(property) &&
        ALLOWED[property].test(text) &&
        (property !== 'compression' || isKnown(zfs.capabilities.compression, text)),
    ),
  )
  const differing = [...wanted].filter(([property, text]) => dataset?.user.get(property) !== asShown(text))
  const dropped = PROPERTIES.filter((property) => dataset?.user.has(property) && !wanted.has(property))
  await allOf([
    setProperties(zfs, name, Object.fromEntries(differing)),
    ...dropped.map((property) => inheritProperty(zfs, name, property)),
  ])
}

function isKnown({ lz4, zstd }: { readonly lz4: boolean; readonly zstd: boolean }, text: string): boolean {
  if (text === 'lz4') return lz4
  return text.startsWith('zstd') ? zstd : true
}

/** As ZFS tells what was set so: a size in bytes, and the level that is a compression's own by its name alone. */
function asShown(text: string): string {
  if (text === 'gzip-6') return 'gzip'
  if (text === 'zstd-3') return 'zstd'
  return /^[0-9]+K$/.test(text) ? String(1024 * Number.parseInt(text, 10)) : text
}

export function isSame(one: ProjectProperties, other: ProjectProperties): boolean {
  const names = Object.keys(one)
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name])
}
