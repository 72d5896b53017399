/** Every key with what it means and its default, as a file that is a configuration itself. */
import { z } from 'zod'
import { configSchema } from './schema.ts'

interface Described {
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly string[]
  readonly properties?: Readonly<Record<string, Described>>
}

/** What has no default has to be given, or may be left out: the former with a value to begin with, the latter as a comment. */
const BEGINNINGS: Readonly<Record<string, string>> = {
  store: 'dir:/var/lib/tidepool/store',
  dataset: 'tank/projects',
}
const LEFT_OUT: Readonly<Record<string, string>> = {
  name: 'host1',
  maxResident: '500',
  idleAfter: '7d',
}

export function exampleConfig(): string {
  const { properties = {} } = z.toJSONSchema(configSchema, {
    io: 'input',
    unrepresentable: 'any',
  }) as Described
  return `${section(properties, '').join('\n')}\n`
}

function section(properties: Readonly<Record<string, Described>>, indent: string): string[] {
  return Object.entries(properties).flatMap(([key, one]) => {
    const choice = one.enum ? ` (${one.enum.join(' or ')})` : ''
    const about = one.description === undefined ? [] : [`${indent}# ${one.description}${choice}`]
    if (one.properties) return ['', ...about, `${indent}${key}:`, ...section(one.properties, `${indent}  `)]
    const left = LEFT_OUT[key]
    const value = BEGINNINGS[key] ?? one.default
    return [
      ...about,
      value === undefined ? `${indent}# ${key}: ${left}` : `${indent}${key}: ${String(value)}`,
    ]
  })
}
