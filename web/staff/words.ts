// What only the staff read.
import rest from '@texts/zh-CN.json?rest'
import { say } from '@shared/i18n'

say(rest)
