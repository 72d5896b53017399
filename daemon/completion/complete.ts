/** What may stand where the cursor is: verbs, options, projects, or files. */
import { type CommandHelp, readHelp } from './help.ts'

export interface Completed {
  readonly found: readonly string[]
  /** The shell completes them better itself. */
  readonly files: boolean
}

export interface Known {
  /** The verbs, each with those below it. */
  readonly groups: readonly {
    readonly name: string
    readonly verbs?: readonly { readonly name: string }[]
  }[]
  /** The text that `tidepool WORDS --help` prints. */
  readonly help: (words: readonly string[]) => Promise<string>
  /** The projects of this host; none where nobody says which. */
  readonly projects: () => Promise<readonly string[]>
}

const NOTHING: Completed = { found: [], files: false }
const PROJECTS = ['id', 'project']
const FILES = ['file', 'device', 'path']
/** Its `id` is one that there is not yet. */
const MAKES = 'create'
const SHELLS = ['bash', 'zsh', 'fish']

/** The last word is the one that is being typed, perhaps empty. */
export async function complete(words: readonly string[], known: Known): Promise<Completed> {
  const typed = words.at(-1) ?? ''
  const fitting = (all: readonly string[]): Completed => ({
    found: all.filter((one) => one.startsWith(typed)),
    files: false,
  })
  const global = readHelp(await known.help([]))
  const { verb, operands, pending, own } = await read(words.slice(0, -1), known, global)
  const options = [...global.options, ...own.options]
  // What follows an option with a value is that value; most of them are paths.
  if (pending) return { found: [], files: true }
  if (typed.startsWith('-')) return fitting([...new Set(options.map(({ name }) => name))])
  const group = known.groups.find(({ name }) => name === verb[0])
  if (!group) return verb.length === 0 ? fitting(known.groups.map(({ name }) => name)) : NOTHING
  if (group.verbs && verb.length < 2)
    return operands.length === 0 ? fitting(group.verbs.map(({ name }) => name)) : NOTHING
  const last = own.repeats ? own.arguments.at(-1) : undefined
  const argument = own.arguments[operands.length] ?? last
  if (argument === undefined) return NOTHING
  if (argument === 'shell') return fitting(SHELLS)
  if (FILES.includes(argument)) return { found: [], files: true }
  if (!PROJECTS.includes(argument) || verb[0] === MAKES) return NOTHING
  return fitting(await known.projects())
}

/** What stands before the cursor: the verb, what it is given, and whether an option waits for its value. */
async function read(words: readonly string[], { groups, help }: Known, global: CommandHelp) {
  const verb: string[] = []
  const operands: string[] = []
  let own: CommandHelp = { options: [], arguments: [], repeats: false }
  let pending = false
  for (const word of words) {
    if (pending) {
      pending = false
      continue
    }
    if (word.startsWith('-')) {
      pending = [...global.options, ...own.options].some(
        ({ name, takesValue }) => takesValue && name === word,
      )
      continue
    }
    const group = groups.find(({ name }) => name === verb[0])
    const isVerb =
      verb.length === 0 || (verb.length === 1 && group?.verbs?.some(({ name }) => name === word) === true)
    if (!isVerb) operands.push(word)
    else {
      verb.push(word)
      const now = groups.find(({ name }) => name === verb[0])
      // The help of a group lists its verbs, which stand in the table.
      if (now && (verb.length === 2 || !now.verbs)) own = readHelp(await help(verb))
    }
  }
  return { verb, operands, pending, own }
}
