/** Reads a configuration: YAML, checked, and each mistake told with the line that it is on. */
import { readFile } from 'node:fs/promises'
import { type Document, isNode, LineCounter, parseDocument } from 'yaml'
import type { z } from 'zod'
import { errnoOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { reasonOf } from '../cli/errno.ts'
import { type Config, configSchema } from './schema.ts'

const MAY_NOT: ReadonlySet<string> = new Set(['EACCES', 'EPERM'])

export async function readConfig(file: string): Promise<Config> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === undefined) throw error
    throw new TidepoolError('bad-config', `can't read ${file}: ${reasonOf(errno)}`, {
      cause: error,
      hint: MAY_NOT.has(errno)
        ? 'Ask as root: who may read it may learn where secrets are.'
        : 'Give the configuration with --config; `tidepool config example` prints one.',
    })
  }
  return parseConfig(text, file)
}

/** Rejects with `bad-config`, which names every mistake at once. */
export function parseConfig(text: string, file: string): Config {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  if (document.errors.length > 0)
    throw mistakes(
      file,
      document.errors.map(({ message, pos }) => `line ${lines.linePos(pos[0]).line}: ${message}`),
    )
  const checked = configSchema.safeParse(document.toJS() ?? {})
  if (checked.success) return checked.data
  const found = checked.error.issues.map((issue) => sentence(issue, document, lines))
  throw mistakes(
    file,
    found.sort((a, b) => a.line - b.line).map(({ text }) => text),
  )
}

interface Mistake {
  /** 0 where there is none. */
  readonly line: number
  readonly text: string
}

function sentence(issue: z.core.$ZodIssue, document: Document, lines: LineCounter): Mistake {
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys.map(String) : []
  const path = [...issue.path.map(String), ...unknown.slice(0, 1)]
  const line = lineOf(path, document, lines)
  const text = `${path.join('.') || 'the whole of it'}: ${whatIsWrong(issue)}`
  return { line, text: line === 0 ? text : `line ${line}: ${text}` }
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  object: 'a group of keys',
  array: 'a list',
  int: 'a whole number',
}

/** In plainer words than the library's, which are those of the types in its code. */
function whatIsWrong(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return 'is no key that there is'
  if (issue.code === 'invalid_value') return `is none of ${issue.values.join(', ')}`
  if (issue.code === 'too_small') return `has to be ${issue.minimum} at least`
  if (issue.code === 'too_big') return `has to be ${issue.maximum} at most`
  const message = issue.message.replace(/^Invalid input: /, '')
  if (/received undefined$/.test(message)) return 'is missing'
  const [, wanted, found] = /^expected (\w+), received (\w+)$/.exec(message) ?? []
  if (wanted === undefined || found === undefined) return message
  const kind = (name: string): string => KINDS[name] ?? `a ${name}`
  return `has to be ${kind(wanted)}, and is ${kind(found)}`
}

/** Of the key, or of what is nearest above it where it is missing. */
function lineOf(path: readonly string[], document: Document, lines: LineCounter): number {
  const node = document.getIn(path, true)
  const offset = isNode(node) ? node.range?.[0] : undefined
  return offset === undefined ? 0 : lines.linePos(offset).line
}

function mistakes(file: string, found: readonly string[]): TidepoolError {
  return new TidepoolError('bad-config', `${file}: ${found.join('; ')}`, {
    hint: '`tidepool config example` prints every key with what it means.',
    facts: { file, mistakes: found },
  })
}
