/** What a store lets in, for people. */
import type { StoreInfo } from '../../pipeline/stores/contract.ts'

export const receivableText = (receivable: StoreInfo['receivable']): string =>
  receivable === null
    ? 'any: no stream is refused for its features'
    : receivable.join(', ') || 'none: only streams that use no feature'
