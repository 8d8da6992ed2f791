package demo

import (
	"context"

	"hospay/collections"
	"hospay/flow"
	"hospay/internal/i18n"
	"hospay/refund"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

func seedTexts(app core.App, inst string) error {
	_, err := upsert(app, collections.Notices, `institution = {:i} && kind = "refund" && version = "1"`, map[string]any{"i": inst},
		map[string]any{
			"institution": inst, "kind": collections.NoticeRefund, "version": "1", "title": "预交金退款须知", "active": true,
			"content": "<p>退款只能退给就诊卡本人。</p><p>一年内用微信、支付宝缴的预交金可原路退回；更早的或现金缴的，转账到您的微信零钱或支付宝余额。</p>" +
				"<p>退到微信零钱时，需要您在 24 小时内确认收款，未确认的款项会退回就诊卡。</p>",
		})
	if err != nil {
		return err
	}
	if err := seedConsent(app, inst); err != nil {
		return err
	}
	events, _ := store.TextEvents()
	for _, event := range events {
		key := "notice." + string(event)
		_, err := upsert(app, collections.NotificationTexts, "institution = {:i} && event = {:e}", map[string]any{"i": inst, "e": string(event)},
			map[string]any{
				"institution": inst, "event": string(event), "title": i18n.Text(i18n.Default, key+".title"),
				"body": i18n.Text(i18n.Default, key+".body"), "sms": true,
				"wechat_template": "demo-" + string(event), "alipay_template": "demo-" + string(event), "keywords": keywords(event),
			})
		if err != nil {
			return err
		}
	}
	return nil
}

// keywords are those of the demo's templates, which tell why where there is a
// reason.
func keywords(event flow.NoticeEvent) map[string]map[string]string {
	words := map[string]string{"keyword1": "{no}", "keyword2": "{amount}", "keyword3": "{time}"}
	switch event {
	case refund.NoticeRejected, refund.NoticeFailed, refund.NoticeReturned, refund.NoticeProxyRejected:
		words["keyword4"] = "{reason}"
	}
	return map[string]map[string]string{"wechat": words, "alipay": words}
}

// seedSMS points the demo at the gateway that shows the phones of its people.
// They read at any hour.
func seedSMS(ctx context.Context, app core.App, inst string, at Endpoints) error {
	if at.SMS == "" {
		return nil
	}
	var c struct {
		URL      string `json:"form_url"`
		Account  string `json:"account"`
		Password string `json:"password"`
	}
	if err := get(ctx, at.SMS+"/_sim/config", &c); err != nil {
		return err
	}
	filter, params := ofInstitution(inst)
	_, err := upsert(app, collections.SMSConfigs, filter, params, map[string]any{
		"institution": inst, "active": true, "url": c.URL,
		"settings": map[string]any{
			"body": "account={secret.user}&mobile={phone}&content=【演示医院】{text}&ts={time}&id={id}&sign={sign.md5}",
			"sign": "{secret.user}{secret.password}{time}", "charset": "gbk", "quiet_from": "00:00", "quiet_to": "00:00",
			"success": map[string]any{"path": "code", "values": []string{"0"}, "refused": []string{"12", "13", "14", "15"}, "id": "msgid"},
		},
		"secrets_input": object(map[string]string{"user": c.Account, "password": c.Password}),
	})
	return err
}

// seedConsent puts the consent text of proxies in force.
func seedConsent(app core.App, inst string) error {
	_, err := upsert(app, collections.Notices, `institution = {:i} && kind = "proxy" && version = "1"`, map[string]any{"i": inst},
		map[string]any{
			"institution": inst, "kind": collections.NoticeProxy, "version": "1", "title": "亲友代办授权与隐私告知", "active": true,
			"content": "<p>一、我确认与被代办人的关系真实，已取得被代办人本人或其监护人、继承人的授权，所退款项属于被代办人或其合法权利人。</p>" +
				"<p>二、为核验代办资格，演示医院将收集被代办人的姓名、身份证号、就诊卡号，以及我和被代办人的证件照片和关系证明。这些属于敏感个人信息，" +
				"只用于本次代办审核、退款和依法留存，加密保存，仅经办退款的工作人员可以查看，每次查看都有记录。</p>" +
				"<p>三、申请结束后，照片保留 30 天供复核，到期自动删除；退款记录依财务制度保存。</p>" +
				"<p>四、我可以随时关闭代办申请。提供虚假材料或冒领他人款项的，医院有权追回款项并依法追究责任。</p>",
		})
	return err
}
