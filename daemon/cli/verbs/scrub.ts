/** `scrub`: finds what was left half-done and what is damaged, and removes what has to go if it is told to. */
import { TidepoolError } from '../../../pipeline/base/errors.ts'
import { humanBytes } from '../../../pipeline/base/units.ts'
import { type Depth, type Finding, isDamage, type ScrubSummary } from '../../../pipeline/scrub/findings.ts'
import { scrub } from '../../../pipeline/scrub/scrub.ts'
import { seedOfDay } from '../../../pipeline/scrub/settings.ts'
import type { OpenedStore } from '../../../pipeline/stores/open.ts'
import type { Cli, Verb } from '../cli.ts'
import { EXIT } from '../exit.ts'
import { counted, toJson } from '../output.ts'
import { humanDuration } from '../progress.ts'
import { parseDuration, parseShare } from '../units.ts'

interface Options {
  readonly config?: string
  readonly depth: string
  readonly delete?: boolean
  readonly grace?: string
  readonly keepSuperseded?: string
  readonly orphanAge?: string
  readonly maxDelete?: string
  readonly sample?: string
  readonly seed?: string
}

const DEPTHS: readonly string[] = ['stale', 'present', 'deep'] satisfies Depth[]

export const verb: Verb<[], Options> = {
  configure(command) {
    command
      .option(
        '--config <file>',
        'of the store that this configuration of a daemon names (default: TIDEPOOL_CONFIG, or its usual place)',
      )
      .option('--depth <depth>', 'stale, present or deep: how much is looked at', 'stale')
      .option('--delete', 'do it; without this it says what it would do')
      .option(
        '--grace <duration>',
        'how long the host of a write must be silent until the write counts as left (default: 5m)',
      )
      .option(
        '--keep-superseded <duration>',
        'how long superseded writes stay for those who read them (default: 24h)',
      )
      .option('--orphan-age <duration>', 'how long after its first sight an orphan may go (default: 1h)')
      .option('--max-delete <share>', 'the most that one run may delete of what is alive (default: 5%)')
      .option('--sample <share>', 'with deep: read so much of the chunks (default: 100%)')
      .option('--seed <text>', 'which chunks a sample takes (default: the day)')
      .addHelpText(
        'after',
        `
stale    writes that were begun and left, and whatever else has to go
present  also whether each committed write has each of its chunks
deep     also whether their bytes are right, and what is stored that no write accounts for`,
      )
  },

  async run(cli, _arguments, options) {
    const depth = depthOf(options.depth)
    const { readConfig } = await import('../../config/read.ts')
    const settings = {
      depth,
      apply: options.delete === true,
      ...(options.grace !== undefined && { staleAfterMs: parseDuration(options.grace) }),
      ...(options.keepSuperseded !== undefined && {
        supersededGraceMs: parseDuration(options.keepSuperseded),
      }),
      ...(options.orphanAge !== undefined && { orphanAgeMs: parseDuration(options.orphanAge) }),
      ...(options.maxDelete !== undefined && { maxDeleteShare: parseShare(options.maxDelete) }),
      ...(options.sample !== undefined && {
        sample: parseShare(options.sample),
        seed: options.seed ?? seedOfDay(cli.clock.wallMs()),
      }),
    }
    const config = options.config === undefined ? await cli.storeConfig() : await readConfig(options.config)
    // What a daemon is told to keep, its scrub must not let go.
    const retention = config && { retention: { policy: config.keep } }
    const look = async ({ store, limiter }: OpenedStore): Promise<number> => {
      const findings = scrub(store, {
        ...settings,
        ...retention,
        limiter,
        clock: cli.clock,
        signal: cli.signal,
      })
      let damaged = false
      let step = await findings.next()
      try {
        for (; !step.done; step = await findings.next()) {
          damaged ||= isDamage(step.value)
          await tell(cli, step.value)
        }
      } finally {
        await findings.return?.(undefined as never)
      }
      const summary = { ...step.value, elapsedMs: Math.round(step.value.elapsedMs) }
      await cli.out.lines(cli.out.json ? [toJson({ summary })] : sentences(summary))
      if (damaged || summary.damagedWrites > 0) return EXIT.damageFound
      if (summary.stoppedForSafety) return EXIT.stoppedForSafety
      return summary.complete ? EXIT.ok : EXIT.failed
    }
    return cli.withStore(look, config?.store)
  },
}

function depthOf(text: string): Depth {
  if (DEPTHS.includes(text)) return text as Depth
  throw new TidepoolError('bad-depth', `${JSON.stringify(text)} is not a depth of scrub`, {
    hint: `It is one of ${DEPTHS.join(', ')}.`,
  })
}

async function tell(cli: Cli, finding: Finding): Promise<void> {
  if (cli.out.json) {
    const error = 'error' in finding ? { error: String(finding.error) } : {}
    await cli.out.lines([toJson({ finding: { ...finding, ...error } })])
    return
  }
  const done = finding.action === 'none' ? '' : ` [${finding.action.replace('-', ' ')}]`
  await cli.out.lines([
    `${finding.kind}: ${finding.message}${done}`,
    ...(finding.hint === undefined ? [] : [`  ${finding.hint}`]),
  ])
}

function sentences(summary: ScrubSummary): string[] {
  const { depth, applied, resumed, projects, liveBytes, checkedWrites, checkedChunks, readBytes } = summary
  const count = Object.values(summary.findings).reduce((sum, each) => sum + each, 0)
  const lines = [
    `${depth}${resumed ? ', gone on with' : ''}: ${counted(projects, 'project')}, ${humanBytes(liveBytes)} alive, ${count === 0 ? 'nothing found' : counted(count, 'finding')}, ${humanDuration(summary.elapsedMs)}`,
  ]
  if (depth !== 'stale')
    lines.push(
      `checked ${counted(checkedWrites, 'write')}, ${counted(checkedChunks, 'chunk')}${readBytes > 0n ? `, ${humanBytes(readBytes)} read` : ''}: ${summary.damagedWrites} damaged`,
    )
  if (applied)
    lines.push(`removed ${counted(summary.removals, 'write')}, ${humanBytes(summary.removedBytes)}`)
  else if (count > 0) lines.push('nothing was changed: --delete does what it says')
  if (!summary.complete) lines.push('not everything could be looked at: the findings say what')
  return lines
}
