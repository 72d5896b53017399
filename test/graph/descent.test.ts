import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { savesAs } from '../../pipeline/graph/descent.ts'
import { rulesWithout } from '../../pipeline/graph/rules.ts'
import { A, B, edge, point, projectOf } from '../support/graph.ts'

const test = suite('graph: descent')

const project = projectOf([edge('a', 0, 1), edge('b', 1, 2)], { epoch: 3n, born: 2n })
const descent = { host: A, openedEpoch: 3n, holds: (guid: string) => guid === point(2) }

test('the owner whose dataset holds the head and was opened under the present epoch moves the head', () => {
  assert.is(savesAs(project, descent), 'head')
  assert.is(savesAs(projectOf([], { epoch: 3n }), { ...descent, holds: () => false }), 'head')
})

test('whoever lacks one of the three only leaves a side point', () => {
  assert.is(savesAs(project, { ...descent, host: B }), 'side')
  assert.is(savesAs(project, { ...descent, openedEpoch: 2n }), 'side')
  assert.is(savesAs(project, { ...descent, holds: (guid) => guid === point(1) }), 'side')
  assert.is(savesAs(project, { ...descent, openedEpoch: 2n }, rulesWithout('epochBound')), 'head')
  assert.is(savesAs(project, { ...descent, holds: () => false }, rulesWithout('descends')), 'head')
})

test('what was opened in an earlier life is never saved, whoever has it and whatever it holds', () => {
  assert.is(savesAs(project, { ...descent, openedEpoch: 1n }), 'earlier-life')
  assert.is(savesAs(project, { ...descent, host: B, openedEpoch: 1n }), 'earlier-life')
})

test.run()
