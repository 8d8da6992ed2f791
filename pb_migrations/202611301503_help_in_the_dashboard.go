package pb_migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// What IT sees in the dashboard says in Chinese what it is.
func init() {
	migrations.Register(func(app core.App) error {
		for name, fields := range fieldHelp {
			c, err := app.FindCollectionByNameOrId(name)
			if err != nil {
				return err
			}
			for field, text := range fields {
				if err := explain(c, field, text); err != nil {
					return err
				}
			}
			if err := app.Save(c); err != nil {
				return err
			}
		}
		return nil
	}, nil)
}

// explain gives a field its help.
func explain(c *core.Collection, name, text string) error {
	switch f := c.Fields.GetByName(name).(type) {
	case *core.TextField:
		f.Help = text
	case *core.BoolField:
		f.Help = text
	case *core.NumberField:
		f.Help = text
	case *core.SelectField:
		f.Help = text
	case *core.JSONField:
		f.Help = text
	case *core.EditorField:
		f.Help = text
	case *core.RelationField:
		f.Help = text
	case *core.DateField:
		f.Help = text
	default:
		return fmt.Errorf("%s.%s is a %T", c.Name, name, f)
	}
	return nil
}

var fieldHelp = map[string]map[string]string{
	"institutions": {
		"code":           "机构编号：门户凭证、二维码和接口里用它指这个机构，启用后不要改",
		"name":           "医院名称：患者页面、通知、报表和凭证上的名称",
		"active":         "启用：停用后不接受新申请，已经开始的办到底",
		"debit_at":       "HIS 扣减时机：HIS 不能撤销退费时选“审核通过后”",
		"methods":        "退款方式：只开一种时全部照它办；都开时，能原路退的原路退，其余转账",
		"payouts_frozen": "冻结出款：勾选后一秒内停止付款和扣款，查询照常",
		"freeze_note":    "冻结原因：审核台会显示",
		"day_limit":      "每人每天申请笔数：0 为不限",
		"min_amount":     "最低退款金额（分）：一次申请不能低于此金额；更少的余额请患者到窗口办理",
		"secrets_input": "密钥（只写）：填 JSON，名字有 portal_secret（门户登录）、his_key、his_sm_*（HIS 调本系统）、alarm_wecom、" +
			"alarm_dingtalk、alarm_dingtalk_sign（报警）；保存后立即加密并清空",
		"secrets_sealed":          "密钥密文：系统写入，不要修改",
		"secrets_held":            "已有哪些密钥：系统写入",
		"proxy_on":                "线上代办：关闭后不能再申请代办，已经通过的代办也不能再用来申请退款",
		"proxy_payee":             "代办退款退给：被代办人已故的，一律退给代办人",
		"proxy_days":              "代办有效天数：审核通过后多少天内可以凭它申请退款",
		"proxy_photo_days":        "代办照片保留天数：结束后多少天删除照片",
		"second_factor":           "工作人员二次验证：要求时，每个人下次登录须用手机验证器绑定，此后登录要输 6 位验证码",
		"idle_minutes":            "工作人员无操作退出（分钟）：0 为 30 分钟",
		"recon_days":              "对账：差异处理期限（天），过期标为逾期，0 为 3 天",
		"recon_ignore":            "对账：一人可以忽略的差异金额上限（分），0 为 1 元",
		"recon_prefixes":          "对账：本系统单号开头：商户号与其他业务共用时填写，逗号分隔，如 R,HP；别的开头算其他业务",
		"recon_words":             "对账：HIS 的词：每个词写成 对方的词=意思，用分号隔开，如 完结=成功；WXP=微信",
		"recon_his_sign":          "对账：HIS 退款金额：按 HIS 明细里退款的正负",
		"reveals_a_day":           "每人每天可查看的个人信息项数：0 为 120 项。姓名、证件号、账户、手机、照片各算一项；用完后须另一人（审计或配置）放行",
		"refund_alone":            "缴费退费一人可办（分）：一笔缴费累计退回超过此金额的退费，须由另一人确认；0 为每笔都要两个人",
		"pay_off_registration":    "挂号停用的线上支付：insured 医保，own 自费；两种都停用，就只能到窗口",
		"pay_why_registration":    "挂号停用支付的原因：患者会看到",
		"refund_off_registration": "挂号停用线上退费：HIS 发起的退费和系统自己的退回照常",
		"refund_why_registration": "挂号退费到哪里办：患者会看到",
		"pay_off_outpatient":      "门诊停用的线上支付：insured 医保，own 自费；两种都停用，就只能到窗口",
		"pay_why_outpatient":      "门诊停用支付的原因：患者会看到",
		"refund_off_outpatient":   "门诊停用线上退费：HIS 发起的退费和系统自己的退回照常",
		"refund_why_outpatient":   "门诊退费到哪里办：患者会看到",
		"service_phone":           "患者服务电话：患者页面上“拨打医院服务电话”的号码，如 0571-12345678 转 8001",
		"transfer_choice":         "可改选转账：能原路退的部分，也允许患者改选转账退；两种退款方式都开通时才有用",
		"self_entry":              "患者自行登记：没有医院门户，或不从门户进入的患者：微信、支付宝授权后，凭姓名、证件号和就诊卡号与 HIS 核对一次，账号从此绑定本人",
		"voucher_layout":          "财务凭证格式：JSON，样例和说明见 docs/zh/财务凭证.md",
	},
	"channel_configs": {
		"channel":        "渠道：wechat 微信，alipay 支付宝；每个机构各一条",
		"active":         "启用：停用后不再接受这个渠道的新申请；已经发出的款项照常查询到底",
		"merchant_id":    "商户号（微信）或商家 PID（支付宝，2088 开头）",
		"app_id":         "应用 AppID：须已与商户号绑定",
		"api_base":       "接口地址：留空为官方地址",
		"notify_base":    "本系统的公网地址：渠道回调和患者入口用它",
		"settings":       "渠道设置：JSON，有哪些项见 docs/channels.md；在审核台的 系统配置 里逐项填写更方便",
		"secrets_input":  `密钥（只写）：填 JSON，如 {"名字":"值"}，保存后立即加密并清空；值留空即删除这一项`,
		"secrets_sealed": "密钥密文：系统写入，不要修改",
		"secrets_held":   "已有哪些密钥：系统写入",
		"institution":    "属于哪个机构（院区）",
	},
	"his_configs": {
		"kind":           "接口种类：rest 为 JSON 接口，soap 为 SOAP 接口；问 HIS 厂商",
		"active":         "启用：停用后新的缴费只能自费；已经开始的照常查询、办完、退费",
		"base_url":       "中心地址：含 https://；改地址要两个人，由另一人先探测",
		"mapping":        "字段对照：说明见 docs/his.md；提交前会检查",
		"timeout_ms":     "超时（毫秒）：一次调用最多等多久；超时按结果未知处理，会去查询。0 为默认",
		"queryable":      "能按单号查询：HIS 能用我方单号查到这一笔扣没扣。不能查的，结果未知时由人处理",
		"idempotent":     "同一单号重复提交只算一次：确认 HIS 真的这样做才开启；关闭时，查询不到的由人处理，不自动重发",
		"reversible":     "能撤销退费：驳回或付款失败时把余额恢复到就诊卡。不能撤销的，把扣减时机改为审核通过后",
		"secrets_input":  "密钥（只写）：填 JSON，名字有 key、sign_key、user、password；保存后立即加密并清空",
		"secrets_sealed": "密钥密文：系统写入，不要修改",
		"secrets_held":   "已有哪些密钥：系统写入",
		"institution":    "属于哪个机构（院区）",
	},
	"centre_configs": {
		"active":         "启用：停用后新的缴费只能自费；已经开始的照常查询、办完、退费",
		"org_code":       "定点医药机构编码：医保局给本院的编码",
		"org_name":       "定点医药机构名称：与医保局登记的一致",
		"app_id":         "医保应用编号：本院在医保中心的应用编号（orgAppId），不是微信、支付宝的 AppID",
		"base_url":       "中心地址：含 https://；改地址要两个人，由另一人先探测",
		"region":         `地区方案：JSON，如 {"base":"national"}，见 docs/guides/region.md`,
		"timeout_ms":     "超时（毫秒）：一次调用最多等多久；超时按结果未知处理，会去查询。0 为默认",
		"secrets_input":  "密钥（只写）：填 JSON，名字有 app_secret、private_key、platform_key；保存后立即加密并清空",
		"secrets_sealed": "密钥密文：系统写入，不要修改",
		"secrets_held":   "已有哪些密钥：系统写入",
		"institution":    "属于哪个机构（院区）",
	},
	"review_settings": {
		"auto":           "自动审核：开启后，符合全部规则的自动通过",
		"shadow":         "影子模式：只记录规则会怎样决定，仍由人审核",
		"delay_seconds":  "延迟（秒）：进入审核后等待多久才自动决定",
		"window_from":    "每日开始：HH:MM，留空为全天",
		"window_to":      "每日结束：HH:MM，留空为全天",
		"rules":          "审核规则：JSON，在审核台的 系统配置 → 自动审核 里逐条设置",
		"institution":    "属于哪个机构（院区）",
		"second_from":    "复核金额（分）：达到此金额需要两人审核；0 为不需要",
		"second_proxy":   "代办一律复核：开启后，代办的退款不论金额都要两个人审核",
		"reject_reasons": "驳回原因：JSON 数组，最多 9 条，患者会看到",
	},
	"notices": {
		"version":     "版本：患者同意的是哪一版，改内容就换版本号",
		"title":       "标题：患者看到",
		"content":     "正文：患者看到，申请前须勾选同意",
		"active":      "启用：同一种须知只用一条",
		"institution": "属于哪个机构（院区）",
		"kind":        "种类：refund 退款须知，proxy 代办须知",
	},
	"staff": {
		"institution":    "属于哪个机构（院区）",
		"name":           "姓名：审核记录和凭证上的名字",
		"roles":          "角色：reviewer 审核，finance 财务，cashier 收费处，auditor 审计（不能兼任其他），config 配置",
		"active":         "启用：停用后下一个请求即失效",
		"person_index":   "身份证号的指纹：系统写入，不可逆；没有它，不能参与需要两个人的操作",
		"first_password": "初始密码：勾选后下次登录须先改密码",
		"id_no_input":    "身份证号：保存后只留下不可逆的指纹；没有登记的账号不能参与需要两个人的操作",
	},
	"sms_configs": {
		"active":         "启用：停用后短信不发，站内消息和渠道消息照常",
		"url":            "网关地址：短信平台给出的发送地址，含 https://",
		"settings":       "网关设置：JSON，请求模板、签名、成功的判断、免打扰时段，见 docs/sms.md",
		"secrets_input":  `密钥（只写）：填 JSON，如 {"名字":"值"}，保存后立即加密并清空；值留空即删除这一项`,
		"secrets_sealed": "密钥密文：系统写入，不要修改",
		"secrets_held":   "已有哪些密钥：系统写入",
		"institution":    "属于哪个机构（院区）",
	},
	"kiosks": {
		"institution":  "属于哪个机构（院区）",
		"place":        "位置：患者找得到的地方，如 门诊一楼 2 号机",
		"active":       "启用：停用后这台机器立即退出",
		"ways":         "可用的凭证：credential 医保电子凭证，id_card 身份证，social_card 社保卡",
		"reader_url":   "读卡服务的本机地址，见 docs/kiosk.md",
		"idle_seconds": "无人操作多少秒后清除，0 为默认",
	},
	"notification_texts": {
		"event":           "什么事",
		"title":           "标题",
		"body":            "正文：可用的占位见 系统配置 → 通知文案",
		"sms":             "同时发短信：须先设短信网关",
		"wechat_template": "微信模板编号：在公众平台申请",
		"alipay_template": "支付宝模板编号",
		"keywords":        "模板关键词：JSON，关键词=内容",
		"institution":     "属于哪个机构（院区）",
	},
	"audit_sinks": {
		"active":         "启用",
		"kind":           "方式：syslog 或 webhook",
		"url":            "地址：审计日志逐条送到哪里",
		"secrets_input":  `密钥（只写）：填 JSON，如 {"名字":"值"}，保存后立即加密并清空；值留空即删除这一项`,
		"secrets_sealed": "密钥密文：系统写入，不要修改",
		"secrets_held":   "已有哪些密钥：系统写入",
		"sent_seq":       "已送到第几条：系统写入",
		"tries":          "连续失败次数：系统写入",
		"next_at":        "下次再送：系统写入",
		"error":          "最近一次失败：系统写入",
	},
	"patients": {
		"institution":          "属于哪个机构（院区）",
		"patient_no":           "患者编号：HIS 的",
		"name":                 "姓名（打码）",
		"id_type":              "证件种类：01 居民身份证等",
		"id_no":                "证件号（打码）",
		"phone":                "手机（打码）",
		"name_sealed":          "密文：系统写入，不要修改",
		"id_no_sealed":         "密文：系统写入，不要修改",
		"id_index":             "查找用的指纹：系统写入，不可逆",
		"phone_sealed":         "密文：系统写入，不要修改",
		"wechat_openid_sealed": "密文：系统写入，不要修改",
		"wechat_index":         "查找用的指纹：系统写入，不可逆",
		"wechat_bound":         "已绑定微信：手机换人时去掉勾选，绑定和登录随即失效",
		"alipay_id_sealed":     "密文：系统写入，不要修改",
		"alipay_id_type":       "支付宝账号的种类：系统写入",
		"alipay_index":         "查找用的指纹：系统写入，不可逆",
		"alipay_bound":         "已绑定支付宝：同上",
		"via":                  "最近一次从哪里进入",
	},
}
