import { expect, test } from 'vitest'
import table from '../../people/names.json'
import { nameFits, sameName, writtenName } from './names'

test.each(table.same)('one name: %s', (...group) => {
  for (const a of group) for (const b of group) expect(sameName(a!, b!), `${a} ${b}`).toBe(true)
})
test.each(table.different)('two names: %s, %s', (a, b) => expect(sameName(a!, b!)).toBe(false))
test.each(Object.entries(table.written))('%s is written %s', (typed, want) => expect(writtenName(typed)).toBe(want))
test.each(table.fits)('%s fits %s', (name, mask) => expect(nameFits(name!, mask!)).toBe(true))
test.each(table.unfit)('%s does not fit %s', (name, mask) => expect(nameFits(name!, mask!)).toBe(false))
