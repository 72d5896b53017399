/** Everything that can happen next in a state: an actor's step, a user's letter, an operator's order, an accident. */
import type { Rules } from '../../pipeline/graph/rules.ts'
import { accidents } from './accidents.ts'
import { Story } from './actor.ts'
import { type Beginning, beginnings, type Play } from './beginnings.ts'
import { answerKey } from './keys.ts'
import * as daemon from './machine.ts'
import { AskingChunks, askingCatalogue, isFollowedAtOnce, type Request } from './requests.ts'
import { ENDINGS } from './steps.ts'
import type { Place, World } from './world.ts'

export interface Move {
  readonly label: string
  readonly happen: (world: World) => Promise<void> | void
}

export async function movesIn(world: World, play: Play, stories: Stories): Promise<Move[]> {
  const moves: Move[] = []
  for (const [place, { what, story }] of Object.entries(world.tasks))
    moves.push(...steps(world, place as Place, what, story))
  for (const beginning of beginnings(world, play)) {
    const { place, what, begun } = beginning
    if (!world.tasks[place]) moves.push(...steps(world, place, what, await stories.begin(beginning), begun))
  }
  return [...moves, ...accidents(world)]
}

/** The beginnings of actors' stories, each told once. */
export class Stories {
  readonly #rules: Rules
  readonly #known = new Map<string, Promise<Story<Request>>>()

  constructor(rules: Rules) {
    this.#rules = rules
  }

  begin({ place, session, what, program }: Beginning): Promise<Story<Request>> {
    const name = `${place} ${session} ${what}`
    const known = this.#known.get(name)
    if (known) return known
    const story = Story.of<Request>((ask) =>
      program({
        catalogue: askingCatalogue(ask),
        chunks: new AskingChunks(ask),
        rules: this.#rules,
        later: (label, act) => ask({ kind: 'local', label, act }) as Promise<void>,
        now: <Result>(act: (world: World) => Result) => ask({ kind: 'now', act }) as Promise<Result>,
      }).catch(daemon.outcomeOf),
    )
    this.#known.set(name, story)
    return story
  }
}

/** The next step of a task, once for each way in which it can end. */
function steps(
  world: World,
  place: Place,
  what: string,
  story: Story<Request>,
  begun?: (world: World) => void,
): Move[] {
  const { request } = story.turn
  if (!request || request.kind === 'now')
    return [
      {
        label: `${place}: ${what}`,
        async happen(next) {
          begun?.(next)
          await goOn(next, place, what, story)
        },
      },
    ]
  return ENDINGS[request.kind]
    .filter((ending) => ending.possible(world, place))
    .map((ending) => ({
      label: `${place}: ${what}: ${request.label}${ending.label}`,
      async happen(next) {
        begun?.(next)
        next.turn = place
        const answer = await ending.end(next, request, place)
        await goOn(next, place, what, await story.after(answer), isFollowedAtOnce(request))
      },
    }))
}

/** What an actor does at its own machine follows at once; then it waits at its next request, or has ended. */
async function goOn(
  world: World,
  place: Place,
  what: string,
  story: Story<Request>,
  readsAtOnce = false,
): Promise<void> {
  let at = await pastOwnSteps(world, story)
  if (readsAtOnce && at.turn.request?.kind === 'read') {
    const answer = await ENDINGS.read[0].end(world, at.turn.request, place)
    at = await pastOwnSteps(world, await at.after(answer))
  }
  const { request, outcome, failure } = at.turn
  if (failure !== undefined) throw failure
  if (request) {
    world.tasks[place] = { what, story: at }
    return
  }
  delete world.tasks[place]
  world.late = world.late.map((late) =>
    late.from === place
      ? { ...late, from: null, over: outcome === 'over' && isWaitedFor(late.transaction) }
      : late,
  )
}

async function pastOwnSteps(world: World, story: Story<Request>): Promise<Story<Request>> {
  let at = story
  while (at.turn.request?.kind === 'now') {
    const value = at.turn.request.act(world)
    at = await at.after({ key: answerKey(value), value })
  }
  return at
}

/** Intents, aborts and the like may land whenever they like; what moves rev is waited for until it is decided. */
const isWaitedFor = ({ if: condition, what }: World['late'][number]['transaction']): boolean =>
  what.startsWith('commit') || (condition !== 'absent' && condition.rev !== undefined)
