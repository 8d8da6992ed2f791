import { expect, test } from 'vitest'
import { centreFields, channelFields, hisFields, institutionFields, reviewFields, sceneFields, smsFields } from './fields'

test('TestFields_EachSaysWhatItIsFor', () => {
  const channel = (name: string) => channelFields({ channel: name, settings: [], secrets: [] } as never)
  const all = [
    reviewFields, institutionFields, sceneFields('outpatient'), channel('wechat'), channel('alipay'), hisFields, smsFields,
    centreFields({ regions: [] } as never),
  ].flat()
  expect(all.length).toBeGreaterThan(50)
  expect(all.filter((f) => !f.help).map((f) => f.name)).toEqual([])
})
