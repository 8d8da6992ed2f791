// Events of an order, and what the audit log records, in words.
import { has, t } from '@shared/i18n'
import './words'

export const actors: Record<string, string> = { system: '系统', patient: '患者', staff: '工作人员', channel: '渠道', his: 'HIS' }

/** statusText is the state of a refund for staff, in the words of the reports; patients read others. */
export const statusText = (s: string) => t(has(`report.status.${s}`) ? `report.status.${s}` : `status.${s}`)

/** eventText is an event in words; those of the desk name the action that their code tells. */
export function eventText(event: string, code = ''): string {
  const text = has(`event.${event}`) ? t(`event.${event}`) : event
  return event.startsWith('suspense.') && has(`desk.action.${code}`) ? `${text}“${t(`desk.action.${code}`)}”` : text
}

export const stages: Record<string, string> = { auto: '自动审核', shadow: '影子规则', first: '初审', second: '复核' }
export const decisions: Record<string, string> = { approve: '通过', reject: '驳回', manual: '转人工' }

export const callStates: Record<string, string> = { intent: '已登记', open: '等待结果', held: '暂缓', done: '完成', refused: '被拒绝' }

/** callText is how a call to another side stands. That the number is not known there is booked of an open one only when it does not go out any more. */
export function callText(c: { state: string; reported: string }): string {
  return c.reported === 'not_found' && c.state === 'open' ? '对方没有此单' : (callStates[c.state] ?? c.state)
}

/** notices are the occasions on which people are told. */
export const notices: Record<string, string> = {
  succeeded: '退款到账', rejected: '审核驳回', failed: '退款失败', awaiting_payee: '待确认收款', returned: '款项被退回',
  paid_by_hand: '已线下付款', proxy_approved: '代办通过', proxy_rejected: '代办驳回', entered: '患者自行登记',
  hold: '出款暂缓（给财务）', clock: '时钟倒退（给财务）', tampered: '数据库被改动（给财务）',
  alarm: '报警', suspense: '挂账（给财务）',
  payment_registered: '挂号成功', payment_paid: '缴费成功', payment_received: '缴费确认中', payment_ended: '缴费未完成', payment_refund_auth: '退费待授权',
  payment_part_refunded: '部分退费', payment_refunded: '退费完成', payment_hold: '缴费暂缓（给财务）', payment_suspense: '缴费挂账（给财务）',
}
export const noticeWays: Record<string, string> = { in_app: '站内', wechat: '微信', alipay: '支付宝', sms: '短信', email: '邮件', wecom: '企业微信群', dingtalk: '钉钉群' }
export const noticeStates: Record<string, [string, 'info' | 'success' | 'danger' | 'warning']> = {
  queued: ['待发', 'info'], sent: ['已发', 'success'], failed: ['失败', 'danger'], skipped: ['未发', 'warning'],
}

/** actions are what the audit log records, by their group. */
export const actionGroups: [string, string][] = [
  ['config', '配置'], ['staff', '人员和登录'], ['superuser', '后台账号'], ['login', '登录失败汇总'],
  ['review', '审核'], ['order', '查看敏感信息'], ['reveal', '查看放行'],
  ['refund', '退费和证据包'], ['proxy', '代办'], ['suspense', '挂账'], ['payouts', '冻结出款'],
  ['copy', '恢复核对'], ['recon', '对账'], ['statement', '账单'], ['report', '报表'], ['receipt', '回单'], ['stats', '统计'], ['job', '任务'],
  ['kiosk', '自助机'], ['program', '程序'], ['guards', '数据守卫'], ['record', '后台改记录'],
]
const actionNames: Record<string, string> = {
  'config.propose': '提出配置变更', 'config.confirm': '确认配置变更', 'config.apply': '修改配置', 'config.reject': '退回配置变更',
  'config.withdraw': '撤回配置变更', 'config.test': '测试连接', 'config.dashboard': '在后台修改配置',
  'staff.locked': '账号被锁定', 'staff.unlock': '解锁账号', 'staff.totp_on': '绑定验证器', 'staff.recovery_code': '使用恢复码',
  'staff.login': '登录', 'staff.join': '连接另一院区的账号',
  'staff.switch': '切换院区', 'staff.login_failed': '登录失败', 'superuser.login': '后台登录', 'superuser.login_failed': '后台登录失败',
  'login.failures': '登录失败计数', 'review.approve': '审核通过', 'review.reject': '审核驳回', 'receipt.look': '查看电子回单',
  'record.create': '在后台新建记录', 'record.update': '在后台修改记录', 'record.delete': '在后台删除记录',
  'job.failed': '任务开始失败', 'job.recovered': '任务恢复', 'guards.tampered': '数据守卫被改动，停止出款', 'audit.broken': '审计日志被改动',
  'program.started': '程序启动',
  'kiosk.code': '取得自助机设备码', 'kiosk.enrolled': '自助机登记', 'kiosk.withdrawn': '停用自助机', 'kiosk.person': '自助机识别患者',
  'staff.password': '修改密码', 'order.reveal': '查看脱敏信息', 'refund.evidence': '下载证据包', 'payment.evidence': '下载缴费证据包',
  'proxy.look': '查看代办双方信息', 'reveal.ask': '申请放行查看', 'reveal.release': '放行查看', 'reveal.refuse': '不放行查看', 'reveal.withdraw': '撤回放行申请',
  'proxy.lookup': '查询被代办人', 'proxy.approve': '代办通过', 'proxy.reject': '代办驳回', 'proxy.photo': '查看代办照片',
  'proxy.purge': '删除到期照片', 'suspense.proposed': '提出挂账处理', 'suspense.confirmed': '确认挂账处理',
  'suspense.withdrawn': '撤回挂账处理', 'refund.asked': '缴费退费', 'refund.proposed': '提出缴费退费', 'refund.confirmed': '确认缴费退费',
  'refund.declined': '撤回或不同意缴费退费', 'refund.told': 'HIS 告知已自行退费', 'order.woken': '立即查询缴费',
  'copy.release_proposed': '提出解除恢复核对', 'copy.release_withdrawn': '撤回解除恢复核对', 'copy.released': '解除恢复核对',
  'payouts.freeze': '冻结或解除冻结', 'recon.run': '运行对账', 'recon.month.proposed': '申请月结', 'recon.month.closed': '月结', 'recon.month.reopened': '重开月份',
  'statement.upload': '上传账单', 'statement.use': '改用系统取到的账单', 'statement.download': '下载账单原件', 'report.export': '导出报表', 'voucher.export': '导出记账凭证',
  'patient.entered': '患者自行登记',
  'report.download': '下载导出文件', 'receipt.retry': '重取回单', 'stats.repair': '修复统计',
  'guards.installed': '安装数据守卫', 'archive.made': '归档往年记录', 'clock.back': '时钟倒退', 'job.run': '手动运行任务',
}
export const actionText = (action: string) => actionNames[action] ?? action

const detailNames: Record<string, string> = {
  no: '单号', action: '动作', reason: '理由', from: '原状态', to: '新状态', field: '字段', note: '说明', day: '日期', seq: '第几次',
  state: '结果', source: '来源', kind: '种类', sha256: '文件指纹', version: '版本', filter: '条件', rows: '行数', export: '导出任务',
  report: '报表', stage: '环节', method: '方式', why: '原因', frozen: '冻结', differences: '差异数', change: '变更号', material: '照片号', fields: '项目', house: '另一院区',
}
const detailValues: Record<string, string> = { restore: '退回就诊卡', pay_again: '重新付款', paid_by_hand: '已线下付款', restored_by_hand: '已线下退回就诊卡' }
function word(k: string, v: string): string {
  if (k === 'from' || k === 'to') return t(has(`status.${v}`) ? `status.${v}` : `payment.status.${v}`)
  if (k === 'kind' && v.includes('_') && !v.startsWith('fundflow')) return t(`proxy.material.${v}`)
  return detailValues[v] ?? v
}
function said(k: string, v: unknown): string {
  if (Array.isArray(v)) return v.join('、')
  if (typeof v === 'object') return JSON.stringify(v)
  if (typeof v === 'boolean') return v ? '是' : '否'
  return word(k, String(v))
}

/** detailText writes the details of an entry in one line. */
export function detailText(details: unknown): string {
  if (!details || typeof details !== 'object') return details ? String(details) : ''
  return Object.entries(details as Record<string, unknown>).filter(([, v]) => v !== '' && v !== null)
    .map(([k, v]) => `${detailNames[k] ?? k}：${said(k, v)}`).join('；')
}
