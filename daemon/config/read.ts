/** Reads a configuration: YAML, checked, and each mistake told with the line that it is on. */
import { readFile } from 'node:fs/promises'
import { type Document, isNode, LineCounter, parseDocument } from 'yaml'
import type { z } from 'zod'
import { errnoOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { reasonOf } from '../cli/errno.ts'
import { type Config, configSchema } from './schema.ts'

export async function readConfig(file: string): Promise<Config> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === undefined) throw error
    throw new TidepoolError('bad-config', `can't read ${file}: ${reasonOf(errno)}`, {
      cause: error,
      hint: 'Give the configuration with --config; `tidepool config example` prints one.',
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
  throw mistakes(
    file,
    checked.error.issues.map((issue) => sentence(issue, document, lines)),
  )
}

function sentence(issue: z.core.$ZodIssue, document: Document, lines: LineCounter): string {
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys.map(String) : []
  const path = [...issue.path.map(String), ...unknown.slice(0, 1)]
  const what = unknown.length > 0 ? 'is no key that there is' : issue.message.replace(/^Invalid input: /, '')
  return `${place(path, document, lines)}${path.join('.')}: ${what}`
}

/** Of the key, or of what is nearest above it where it is missing. */
function place(path: readonly string[], document: Document, lines: LineCounter): string {
  const node = document.getIn(path, true)
  const offset = isNode(node) ? node.range?.[0] : undefined
  return offset === undefined ? '' : `line ${lines.linePos(offset).line}: `
}

function mistakes(file: string, found: readonly string[]): TidepoolError {
  return new TidepoolError('bad-config', `${file}: ${found.join('; ')}`, {
    hint: '`tidepool config example` prints every key with what it means.',
    facts: { file, mistakes: found },
  })
}
