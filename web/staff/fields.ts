// The fields of the configuration's forms, and the values that they show.
import kis from '@vouchers/kis.json?raw'
import u8 from '@vouchers/u8.json?raw'
import type { ChannelSettings as ChannelConfig, Configuration as Config, Rule } from '@shared/answers'
import type { Field } from './components/Settings.vue'

export const reviewFields: Field[] = [
  { name: 'auto', label: '自动审核', kind: 'bool', help: '开启后，符合全部规则的自动通过。' },
  { name: 'shadow', label: '影子模式', kind: 'bool', help: '只记录规则会怎样决定，仍由人审核。' },
  { name: 'delay_seconds', label: '延迟（秒）', kind: 'number', help: '进入审核后等待多久才自动决定。' },
  { name: 'window_from', label: '每日开始', kind: 'text', help: 'HH:MM，留空为全天。' },
  { name: 'window_to', label: '每日结束', kind: 'text', help: 'HH:MM。' },
  { name: 'second_from', label: '复核金额（元）', kind: 'fen', help: '达到此金额需要两人审核；0 为不需要。' },
  { name: 'second_proxy', label: '代办一律复核', kind: 'bool', help: '开启后，代办的退款不论金额都要两个人审核。' },
  {
    name: 'reject_reasons', label: '驳回原因', kind: 'lines', help: '每行一条，最多 9 条，审核员按数字键 1–9 选用，患者会看到；清空即恢复出厂的几条。',
  },
]

export const ruleNames: Record<string, string> = {
  max_amount: '金额上限', name_equal: '收款人与就诊卡同名', card_age: '办卡天数', orders_today: '当日申请笔数', shared_payee: '同一收款账户的卡数',
  top_up_recent: '充值后很快退款', night_hours: '夜间申请', proxy: '代办一律人工',
}
/** ruleValues are the values that a rule compares with. */
export const ruleValues: Record<string, string[]> = {
  max_amount: ['limit'], card_age: ['days'], orders_today: ['count'], shared_payee: ['count'], top_up_recent: ['hours'], night_hours: ['from'],
}
/** freshRule is what a rule begins with. */
export const freshRule: Record<string, Partial<Rule>> = {
  max_amount: { limit: 200_000 }, card_age: { days: 7 }, orders_today: { count: 3 }, shared_payee: { count: 2 },
  top_up_recent: { hours: 24 }, night_hours: { from: '23:00', to: '06:00' },
}
export const verdictWords: Record<string, string> = { approve: '通过', reject: '驳回', manual: '转人工', none: '未决定' }

export const institutionFields: Field[] = [
  { name: 'name', label: '医院名称', kind: 'text', help: '患者页面、通知、报表和凭证上的名称。' },
  {
    name: 'methods', label: '退款方式', kind: 'many', choices: [['original', '原路退'], ['transfer', '转账退']],
    help: '只开一种时全部照它办；都开时，能原路退的原路退，其余转账。',
  },
  {
    name: 'service_phone', label: '患者服务电话', kind: 'text', help: '患者页面上“拨打医院服务电话”的号码，如 0571-12345678 转 8001。',
  },
  {
    name: 'transfer_choice', label: '可改选转账', kind: 'bool',
    help: '能原路退的部分，也允许患者改选转账退；两种退款方式都开通时才有用。',
  },
  {
    name: 'self_entry', label: '患者自行登记', kind: 'bool',
    help: '没有医院门户，或不从门户进入的患者：微信、支付宝授权后，凭姓名、证件号和就诊卡号与 HIS 核对一次，账号从此绑定本人。',
  },
  { name: 'min_amount', label: '最低退款金额（元）', kind: 'fen', help: '一次申请不能低于此金额；更少的余额请患者到窗口办理。' },
  {
    name: 'second_factor', label: '工作人员二次验证', kind: 'choice', choices: [['off', '不要求'], ['totp', '要求']],
    help: '要求时，每个人下次登录须用手机验证器绑定，此后登录要输 6 位验证码。',
  },
  {
    name: 'reveals_a_day', label: '每人每天可查看的个人信息项数', kind: 'number',
    help: '0 为 120 项。姓名、证件号、账户、手机、照片各算一项；用完后须另一人（审计或配置）放行。',
  },
  {
    name: 'refund_alone', label: '缴费退费一人可办（元）', kind: 'fen',
    help: '一笔缴费累计退回超过此金额的退费，须由另一人确认；0 为每笔都要两个人。',
  },
  { name: 'idle_minutes', label: '工作人员无操作退出（分钟）', kind: 'number', help: '0 为 30 分钟。' },
  { name: 'day_limit', label: '每人每天申请笔数', kind: 'number', help: '0 为不限。' },
  {
    name: 'debit_at', label: 'HIS 扣减时机', kind: 'choice', choices: [['application', '申请时'], ['approval', '审核通过后']],
    help: 'HIS 不能撤销退费时选“审核通过后”。',
  },
  { name: 'proxy_on', label: '线上代办', kind: 'bool', help: '关闭后不能再申请代办，已经通过的代办也不能再用来申请退款。' },
  {
    name: 'proxy_payee', label: '代办退款退给', kind: 'choice', choices: [['principal', '被代办人'], ['agent', '代办人']],
    help: '被代办人已故的，一律退给代办人。',
  },
  { name: 'proxy_days', label: '代办有效天数', kind: 'number', help: '审核通过后多少天内可以凭它申请退款。' },
  { name: 'proxy_photo_days', label: '代办照片保留天数', kind: 'number', help: '结束后多少天删除照片。' },
  { name: 'recon_prefixes', label: '对账：本系统单号开头', kind: 'text', help: '商户号与其他业务共用时填写，逗号分隔，如 R,HP；别的开头算其他业务。' },
  { name: 'recon_words', label: '对账：HIS 的词', kind: 'text', help: '每个词写成 对方的词=意思，用分号隔开，如 完结=成功；WXP=微信。' },
  {
    name: 'recon_his_sign', label: '对账：HIS 退款金额', kind: 'choice',
    choices: [['auto', '自动判断'], ['negative', '退款为负数'], ['positive', '退款为正数']], help: '按 HIS 明细里退款的正负。',
  },
  {
    name: 'voucher_layout', label: '财务凭证格式', kind: 'area', samples: [['用友 U8（TXT）', u8.trim()], ['金蝶 KIS（Excel）', kis.trim()]],
    help: '从统计页导出记账凭证用。选一个样例，改成医院的科目编码，列与财务软件的引入模板对照；说明见 docs/zh/财务凭证.md。留空为不用。',
  },
  { name: 'secrets.portal_secret', label: '门户登录密钥', kind: 'secret', help: '医院门户用它签发登录凭证。' },
  { name: 'secrets.alarm_wecom', label: '报警：企业微信群机器人', kind: 'secret', help: '群机器人的整个 Webhook 地址；报警同时发到这个群。' },
  { name: 'secrets.alarm_dingtalk', label: '报警：钉钉群机器人', kind: 'secret', help: '自定义机器人的整个 Webhook 地址。' },
  { name: 'secrets.alarm_dingtalk_sign', label: '报警：钉钉加签密钥', kind: 'secret', help: '机器人安全设置选“加签”时填写。' },
]

/** sceneFields are how bills of a kind are paid and given back; of is the kind, where no heading tells it. */
export const sceneFields = (kind: 'registration' | 'outpatient', of = ''): Field[] => [
  {
    name: `pay_off_${kind}`, label: `${of}停用的线上支付`, kind: 'many', choices: [['insured', '医保支付'], ['own', '自费支付']],
    help: '手机和自助机都不能用；两种都停用，就只能到窗口缴费。',
  },
  { name: `pay_why_${kind}`, label: `${of}停用支付的原因`, kind: 'text', help: '患者会看到，如“12 月 1 日起可用医保，现在请到窗口”。' },
  {
    name: `refund_off_${kind}`, label: `${of}停用线上退费`, kind: 'bool',
    help: '缴费订单里不能再发起退费；HIS 发起的退费和系统自己的退回照常。',
  },
  { name: `refund_why_${kind}`, label: `${of}退费到哪里办`, kind: 'text', help: '患者在缴费结果里会看到，如“请到一楼收费处 3 号窗口退费”。' },
]
export const scenes = [['outpatient', '门诊'], ['registration', '挂号']] as const

export function institutionValues({ institution }: Config): Record<string, unknown> {
  return {
    ...institution, second_factor: institution.second_factor || 'off', recon_his_sign: institution.recon_his_sign || 'auto',
    'secrets.portal_secret': institution.secrets_held?.includes('portal_secret'),
    'secrets.alarm_wecom': institution.secrets_held?.includes('alarm_wecom'),
    'secrets.alarm_dingtalk': institution.secrets_held?.includes('alarm_dingtalk'),
    'secrets.alarm_dingtalk_sign': institution.secrets_held?.includes('alarm_dingtalk_sign'),
  }
}

// Settings of a channel are texts on the server. What is seldom changed is folded.
const seldom = [
  'api_base', 'api_host', 'oauth_base', 'oauth_scope', 'confirm_url', 'timeout', 'proxy', 'download_hosts', 'report_infos', 'funds_account',
  'show_alias',
]
const folded = (name: string) => seldom.includes(name)

export function channelFields(c: ChannelConfig): Field[] {
  const settings = [...c.settings].sort((a, b) => Number(folded(a.name)) - Number(folded(b.name)))
  return [
    { name: 'active', label: '启用', kind: 'bool', help: '停用后不再接受这个渠道的新申请；已经发出的款项照常查询到底。' },
    {
      name: 'merchant_id', label: c.channel === 'wechat' ? '商户号' : '商家 PID', kind: 'text',
      help: c.channel === 'wechat' ? '微信支付商户平台的商户号。' : '支付宝商家的 PID，2088 开头。',
    },
    {
      name: 'app_id', label: '应用 AppID', kind: 'text',
      help: c.channel === 'wechat' ? '公众号或小程序的 AppID，须已与商户号绑定。' : '支付宝开放平台应用的 AppID。',
    },
    { name: 'notify_base', label: '本系统的公网地址', kind: 'text', help: '渠道回调和患者入口用这个地址。' },
    ...c.secrets.map((s): Field => ({ name: `secrets.${s.name}`, label: s.label || s.name, kind: s.kind === 'pem' ? 'pem' : 'secret', help: s.help })),
    ...settings.map((s): Field => ({
      name: `settings.${s.name}`, label: s.label || s.name, kind: s.kind === 'number' ? 'text' : (s.kind as Field['kind']), choices: s.choices, help: s.help,
      placeholder: s.default && `默认 ${s.default}`, folded: folded(s.name),
    })),
    { name: 'api_base', label: '接口地址', kind: 'text', help: '留空为官方地址。', folded: true },
  ]
}

function settingValue(s: ChannelConfig['settings'][number]): unknown {
  const v = s.value || s.default
  if (s.kind === 'many') return v.split(',').map((x) => x.trim()).filter(Boolean)
  return s.kind === 'text' || s.kind === 'number' ? s.value : v
}

export function channelValues(c: ChannelConfig): Record<string, unknown> {
  return {
    ...c,
    ...Object.fromEntries(c.settings.map((s) => [`settings.${s.name}`, settingValue(s)])),
    ...Object.fromEntries(c.secrets.map((s) => [`secrets.${s.name}`, s.held])),
  }
}

const hisSecrets = [
  ['key', '接口账号', '请求头里的账号，由 HIS 厂商给出。'], ['sign_key', '签名密钥', '请求签名用，字段对照里用到时填写。'],
  ['user', '用户名', 'SOAP 或基本认证的用户名。'], ['password', '密码', '与用户名成对。'],
] as const

export const hisFields: Field[] = [
  { name: 'kind', label: '接口种类', kind: 'choice', choices: [['rest', 'JSON 接口'], ['soap', 'SOAP 接口']], help: '问 HIS 厂商；两种都用下面的字段对照。' },
  { name: 'active', label: '启用', kind: 'bool', help: '停用后不再接受新申请；已经发出的扣减照常查询到底。' },
  { name: 'base_url', label: '接口地址', kind: 'text', help: '含端口，如 https://10.0.0.5:8443/api；改地址要两个人，由另一人先测试。' },
  { name: 'timeout_ms', label: '超时（毫秒）', kind: 'number', help: '一次调用最多等多久；超时按结果未知处理，会去查询，不会重扣。' },
  { name: 'queryable', label: '能按单号查询', kind: 'bool', help: 'HIS 能用我方单号查到这一笔扣没扣。不能查的，结果未知时由人处理。' },
  { name: 'idempotent', label: '同一单号重复提交只算一次', kind: 'bool', help: '确认 HIS 真的这样做才开启；关闭时，查询不到的由人处理，不自动重发。' },
  { name: 'reversible', label: '能撤销退费', kind: 'bool', help: '驳回或付款失败时把余额恢复到就诊卡。不能撤销的，把扣减时机改为审核通过后。' },
  { name: 'mapping', label: '字段对照', kind: 'area', help: '说明见 docs/his.md；提交前会检查。' },
  ...hisSecrets.map(([name, label, help]): Field => ({ name: `secrets.${name}`, label, kind: 'secret', help })),
]

export function hisValues({ his }: Config): Record<string, unknown> {
  return { ...his, ...Object.fromEntries(hisSecrets.map(([name]) => [`secrets.${name}`, his?.secrets_held?.includes(name)])) }
}

const centreSecrets = [
  ['app_secret', '应用密钥', '医保中心发给本应用的 appSecret。'], ['private_key', '本院 SM2 私钥', '与登记在中心的公钥成对，base64。'],
  ['platform_key', '中心 SM2 公钥', '中心给出，用来验证它的应答，base64。'],
] as const

export function centreFields({ regions }: Config): Field[] {
  return [
    { name: 'active', label: '启用', kind: 'bool', help: '停用后新的缴费只能自费；已经开始的照常查询、办完、退费。' },
    { name: 'org_code', label: '定点医药机构编码', kind: 'text', help: '医保局给本院的编码。' },
    { name: 'org_name', label: '定点医药机构名称', kind: 'text', help: '与医保局登记的一致。' },
    { name: 'app_id', label: '医保应用编号', kind: 'text', help: '本院在医保中心的应用编号（orgAppId），不是微信、支付宝的 AppID。' },
    { name: 'base_url', label: '中心地址', kind: 'text', help: '含 https://；改地址要两个人，由另一人先探测。' },
    { name: 'timeout_ms', label: '超时（毫秒）', kind: 'number', help: '一次调用最多等多久；超时按结果未知处理，会去查询。0 为默认。' },
    {
      name: 'region', label: '地区方案', kind: 'area', samples: regions.map((r) => [r.title, JSON.stringify({ base: r.code }, null, 2)]),
      help: '先填入一个地区，与中心答复不同的再写在后面，如 {"base":"national","auth_minutes":7}；有哪些项见 docs/guides/region.md。',
    },
    ...centreSecrets.map(([name, label, help]): Field => ({ name: `secrets.${name}`, label, kind: 'secret', help })),
  ]
}

export function centreValues({ centre }: Config): Record<string, unknown> {
  return { ...centre, ...Object.fromEntries(centreSecrets.map(([name]) => [`secrets.${name}`, centre?.secrets_held?.includes(name)])) }
}

// The names of the gateway's secrets are those that its settings use.
const smsExample = `{
  "body": "account={secret.user}&mobile={phone}&content=【本院】{text}&ts={time}&sign={sign.md5}",
  "sign": "{secret.user}{secret.password}{time}",
  "success": {"path": "code", "values": ["0"]}
}`

export const smsFields: Field[] = [
  { name: 'active', label: '启用', kind: 'bool', help: '停用后短信不发，站内消息和渠道消息照常。' },
  { name: 'url', label: '网关地址', kind: 'text', help: '短信平台给出的发送地址，含 https://。' },
  {
    name: 'settings', label: '网关设置', kind: 'area', placeholder: smsExample,
    help: '请求模板、签名、成功的判断、免打扰时段，说明见 docs/sms.md；提交前会检查。',
  },
  { name: 'secrets', label: '密钥', kind: 'pairs', help: '每行一个：名字=值，名字是网关设置里 {secret.名字} 用到的；值留空即删除。' },
]

export function smsValues({ sms }: Config): Record<string, unknown> {
  return { ...sms, secrets: sms?.secrets_held ?? [] }
}

/** nested puts names with a dot under their head, as the server takes them: settings and secrets are texts. */
export function nested(values: Record<string, unknown>): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  for (const [k, v] of Object.entries(values)) {
    const [head, ...rest] = k.split('.')
    if (!rest.length || !head) out[k] = v
    else out[head] = { ...(out[head] as Record<string, unknown> | undefined), [rest.join('.')]: Array.isArray(v) ? v.join(',') : String(v) }
  }
  return out
}
