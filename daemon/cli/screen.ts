/** A terminal as a picture that is drawn again and again: on its other screen, so that what stood there before comes back. */
import type { Cli } from './cli.ts'

export interface ScreenOptions {
  /** Called when somebody types q or Ctrl-C. */
  readonly end: () => void
  /** Called when the terminal has another size. */
  readonly resized: () => void
}

interface Keyboard {
  readonly isTTY?: boolean
  setRawMode?(raw: boolean): unknown
}

const OTHER_SCREEN = '\u001b[?1049h\u001b[?25l'
const BACK = '\u001b[?25h\u001b[?1049l'
const HOME = '\u001b[H'
const CLEAR_LINE = '\u001b[K'
const CLEAR_BELOW = '\u001b[J'
const WITHOUT_SIZE = { columns: 80, rows: 24 }
/** Raw, a terminal sends Ctrl-C as a byte; what is typed quickly comes in one piece. */
const ENDS = ['q', 'Q', '\u0003']

export class Screen {
  readonly #cli: Cli
  readonly #options: ScreenOptions
  readonly #typed: (keys: Buffer | string) => void

  private constructor(cli: Cli, options: ScreenOptions) {
    this.#cli = cli
    this.#options = options
    this.#typed = (keys) => {
      const text = keys.toString()
      if (ENDS.some((key) => text.includes(key))) options.end()
    }
  }

  /** `close` must be called, whatever becomes of it. */
  static async open(cli: Cli, options: ScreenOptions): Promise<Screen> {
    const screen = new Screen(cli, options)
    const { stdin, stdout } = cli.surroundings
    screen.#raw(true)
    stdin.on('data', screen.#typed)
    stdout.on('resize', options.resized)
    await cli.out.write(OTHER_SCREEN).catch(async (error: unknown) => {
      await screen.close()
      throw error
    })
    return screen
  }

  /** As much of it as there is room for; nothing flickers, because nothing is cleared before it is drawn. */
  async draw(lines: readonly string[]): Promise<void> {
    const { columns, rows } = this.#size
    const shown = lines.slice(0, rows - 1).map((line) => line.slice(0, columns) + CLEAR_LINE)
    await this.#cli.out.write(HOME + shown.join('\r\n') + CLEAR_BELOW)
  }

  async close(): Promise<void> {
    const { stdin, stdout } = this.#cli.surroundings
    stdin.off('data', this.#typed)
    stdout.off('resize', this.#options.resized)
    this.#raw(false)
    // Else it would keep the process from ending.
    stdin.pause()
    await this.#cli.out.write(BACK).catch(() => {})
  }

  #raw(raw: boolean): void {
    const keyboard: Keyboard = this.#cli.surroundings.stdin
    // Where the keys are a pipe's, a terminal's Ctrl-C is a signal.
    if (keyboard.isTTY) keyboard.setRawMode?.(raw)
  }

  get #size(): { readonly columns: number; readonly rows: number } {
    const { columns, rows } = this.#cli.surroundings.stdout
    return { columns: columns || WITHOUT_SIZE.columns, rows: rows || WITHOUT_SIZE.rows }
  }
}
