import { expect, test } from 'vitest'
import { capital } from './capital'

test('TestCapital_AsTheFormsOfTheServer', () => {
  const said: [number, string][] = [
    [0, '零元整'], [5, '伍分'], [50, '伍角整'], [105, '壹元零伍分'], [123_450, '壹仟贰佰叁拾肆元伍角整'], [1_000_000, '壹万元整'],
    [10_050_000, '壹拾万零伍佰元整'], [1_000_100, '壹万零壹元整'], [2_030_400_500, '贰仟零叁拾万肆仟零伍元整'],
    [10_000_000_100, '壹亿零壹元整'], [-123, '负壹元贰角叁分'],
  ]
  for (const [fen, text] of said) expect(capital(fen), String(fen)).toBe(text)
})
