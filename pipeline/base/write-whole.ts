/** Writes all of a buffer at an offset, in pieces that the kernel takes cheaply. */
import { KIB } from './units.ts'

/**
 * For each write the kernel looks for one run of free memory as long, where it can. Runs of a mebibyte are seldom ones that
 * were in use a moment ago, and a virtual machine may have to get them back from its host: chunks of 1 MiB that were written
 * in one piece have cost two to eight times the CPU.
 */
const PIECE_BYTES = 256 * KIB

interface Writable {
  write(
    data: Uint8Array,
    from: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesWritten: number }>
}

/** The kernel may take less at a time than it is given, near the end of the disk or past 2 GiB. */
export async function writeWhole(file: Writable, data: Uint8Array, offset: number): Promise<void> {
  let done = 0
  while (done < data.length) {
    const length = Math.min(PIECE_BYTES, data.length - done)
    const { bytesWritten } = await file.write(data, done, length, offset + done)
    done += bytesWritten
  }
}
