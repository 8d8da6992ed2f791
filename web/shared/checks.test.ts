import { describe, expect, test } from 'vitest'
import cases from '../../internal/idno/papers.json'
import { ageOf, agePaper, alipayOK, idNoOK, paperOK, phone, phoneOK } from './checks'

describe('checks beside the fields', () => {
  test.each(cases)('paper $paper $no: $what', ({ paper, no, fits }) => expect(paperOK(paper, no)).toBe(fits))
  test('an age is told by a number with a century only', () => {
    expect(agePaper('03', 'EA1234567')).toBe(-1)
    expect(agePaper('11', 'USA110085010112')).toBe(-1)
    expect(agePaper('12', '810000199408230021')).toBeGreaterThan(30)
  })
  test('phones', () => {
    expect(phoneOK('19900000001')).toBe(true)
    for (const text of ['+8613800138000', '8613800138000', '138 0013 8000', '138-0013-8000', '１３８００１３８０００']) expect(phone(text)).toBe('13800138000')
    for (const bad of ['', '1990000000', '29900000001', '1990000000a', '199000000012']) expect(phoneOK(bad)).toBe(false)
  })
  test('Alipay accounts', () => {
    for (const ok of ['19900000001', 'a@b.cn', '2088000000000001']) expect(alipayOK(ok)).toBe(true)
    for (const bad of ['', 'a@b', 'abc', '2088']) expect(alipayOK(bad)).toBe(false)
  })
  // The example of GB 11643 appendix: 11010519491231002X, and 440524188001010014.
  test('ID numbers', () => {
    expect(idNoOK('11010519491231002X')).toBe(true)
    expect(idNoOK('11010519491231002x')).toBe(true)
    expect(idNoOK('440524188001010014')).toBe(true)
    for (const bad of ['', '110105194912310021', '11010519491331002X', '1101051949123100', '11010519490229002X']) expect(idNoOK(bad)).toBe(false)
    expect(idNoOK('11010519491231002X', new Date('1949-01-01'))).toBe(false)
  })
  test('ages', () => {
    expect(ageOf('11010519491231002X', new Date(2026, 11, 30))).toBe(76)
    expect(ageOf('11010519491231002X', new Date(2026, 11, 31))).toBe(77)
  })
})
