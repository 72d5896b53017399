/** Reads properties, whatever is in their values: user properties may hold tabs and newlines. */
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { ZfsError } from './errors.ts'
import type { AnyName } from './names.ts'
import type { RunOptions } from './run.ts'
import type { Zfs } from './zfs.ts'

export interface Property {
  readonly value: string
  /** `-`, `default`, `local`, `received`, `temporary` or `inherited from X`. */
  readonly source: string
}

/** One dataset, snapshot or bookmark with the properties that were asked for; what it does not have is `-`. */
export interface Row {
  readonly name: string
  readonly properties: ReadonlyMap<string, Property>
}

/** Columns in this order: all that is free text comes last, so that a tab in it parts nothing. */
const COLUMNS = 'name,property,source,value'
const SOURCE = /^(?:-|default|local|received|temporary|inherited from .+)$/

/**
 * Puts lines together to rows. A line that is not the property expected next is the rest of the value before it.
 * A value could still be written to look like a row, so ids in user properties are hints, as everywhere.
 */
export async function* parseRows(
  lines: AsyncIterable<string> | Iterable<string>,
  asked: readonly string[],
): AsyncGenerator<Row> {
  let name: string | undefined
  let properties = new Map<string, Property>()
  for await (const line of lines) {
    const [of = '', property = '', source = '', ...rest] = line.split('\t')
    const next = asked[properties.size % asked.length]
    const starts = name === undefined || properties.size === asked.length
    const fits = rest.length > 0 && property === next && SOURCE.test(source) && (starts || of === name)
    if (fits) {
      if (starts) {
        if (name !== undefined) yield { name, properties }
        name = of
        properties = new Map()
      }
      properties.set(property, { source, value: rest.join('\t') })
      continue
    }
    const last = [...properties.entries()].at(-1)
    if (last === undefined)
      throw new TidepoolError(
        'zfs-output',
        `zfs get printed ${JSON.stringify(line.slice(0, 200))}, which is no line of its list`,
      )
    properties.set(last[0], { ...last[1], value: `${last[1].value}\n${line}` })
  }
  if (name === undefined) return
  if (properties.size !== asked.length)
    throw new TidepoolError(
      'zfs-output',
      `zfs get printed ${properties.size} of ${asked.length} properties of ${name}`,
    )
  yield { name, properties }
}

export interface RowsOptions extends RunOptions {
  /** 0 for itself alone. */
  readonly depth?: number
  /** Taken where this ZFS can ask for types; elsewhere everything is listed, so look at `type`. */
  readonly types?: readonly ('filesystem' | 'snapshot' | 'bookmark')[]
}

/** Rows of `name` and of what is below it. Rejects with `dataset-missing` where it is not there. */
export async function* rows(
  zfs: Zfs,
  name: AnyName,
  asked: readonly string[],
  options: RowsOptions = {},
): AsyncGenerator<Row> {
  const { depth = 0, types } = options
  const reach = depth === 0 ? [] : ['-r', '-d', String(depth)]
  const only = types && zfs.capabilities.getTypes ? ['-t', types.join(',')] : []
  const args = ['get', '-Hp', ...reach, ...only, '-o', COLUMNS, asked.join(','), name]
  yield* parseRows(zfs.commands.lines('zfs', args, options), asked)
}

/** The properties of one dataset, snapshot or bookmark; undefined where it is not there. */
export async function properties(
  zfs: Zfs,
  name: AnyName,
  asked: readonly string[],
  options: RunOptions = {},
): Promise<ReadonlyMap<string, Property> | undefined> {
  try {
    for await (const row of rows(zfs, name, asked, options)) return row.properties
    return undefined
  } catch (error) {
    if (error instanceof ZfsError && error.code === 'dataset-missing') return undefined
    throw error
  }
}

/** One value, exactly as it was set, byte for byte; undefined where it is not set or the dataset is not there. */
export async function value(
  zfs: Zfs,
  name: AnyName,
  property: string,
  options: RunOptions = {},
): Promise<string | undefined> {
  const found = (await properties(zfs, name, [property], options))?.get(property)
  return found === undefined || (found.value === '-' && found.source === '-') ? undefined : found.value
}

export async function exists(zfs: Zfs, name: AnyName, options: RunOptions = {}): Promise<boolean> {
  return (await properties(zfs, name, ['type'], options)) !== undefined
}

/** A number from `-p`; what is not there is `none`. */
export function bytesOf(row: Row | ReadonlyMap<string, Property>, property: string): bigint | undefined {
  const map = 'properties' in row ? row.properties : row
  const text = map.get(property)?.value
  if (text === undefined || text === '-' || text === 'none') return undefined
  if (!/^[0-9]+$/.test(text))
    throw new TidepoolError(
      'zfs-output',
      `zfs get printed ${JSON.stringify(text.slice(0, 100))} for ${property}, which is no number`,
    )
  return BigInt(text)
}
