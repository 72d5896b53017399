/** `set`: what the dataset of a project is like, where it is to be another than the pool has it. */
import { projectId } from '../../../pipeline/base/ids.ts'
import { assigned } from '../assigned.ts'
import type { Verb } from '../cli.ts'

interface Answer {
  readonly properties: Readonly<Record<string, string>>
}

export const verb: Verb<[id: string, texts: readonly string[]]> = {
  configure(command) {
    command
      .argument('<id>', 'the project')
      .argument(
        '[name=value...]',
        'compression, recordsize or readonly; `name=` for as the pool has it; without any they are only told',
      )
      .addHelpText(
        'after',
        '\nWhat is in the project already stays as it was written: a new compression or recordsize is for what is written from now on.',
      )
  },

  async run(cli, [text, texts]) {
    const id = projectId(text)
    const changes = Object.entries(assigned(texts)).map(([name, value]) => [
      name,
      value === '' ? null : value,
    ])
    const answer =
      changes.length === 0
        ? await cli.ask<Answer>('GET', `/v1/projects/${id}`)
        : await cli.ask<Answer>('PUT', `/v1/projects/${id}/properties`, {
            properties: Object.fromEntries(changes),
          })
    const told = Object.entries(answer.properties).map(([name, value]) => `${name}=${value}`)
    await cli.out.one(answer, () => [
      `${id} has ${told.length === 0 ? 'all as the pool has it' : told.join(' ')}`,
    ])
  },
}
