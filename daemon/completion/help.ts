/** What the help of a command says of its options and arguments: nothing else is ever completed. */

export interface CommandHelp {
  readonly options: readonly { readonly name: string; readonly takesValue: boolean }[]
  /** The names of its arguments, in order; the last one goes on for ever where it may be repeated. */
  readonly arguments: readonly string[]
  readonly repeats: boolean
}

export function readHelp(text: string): CommandHelp {
  const section = /^Options:\n((?: .*\n)*)/m.exec(text)?.[1] ?? ''
  const options = [...section.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)( [<[])?/gm)].map(
    ([, name = '', value]) => ({
      name,
      takesValue: value !== undefined,
    }),
  )
  const usage = /^Usage: (.*)$/m.exec(text)?.[1] ?? ''
  const found = [...usage.matchAll(/[<[]([a-z-]+)(\.\.\.)?[>\]]/g)].filter(
    ([, name]) => name !== 'options' && name !== 'command',
  )
  return {
    options,
    arguments: found.map(([, name = '']) => name),
    repeats: found.at(-1)?.[2] !== undefined,
  }
}
