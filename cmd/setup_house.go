package cmd

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"strings"

	"hospay/calendar"
	"hospay/collections"
	"hospay/internal/idno"
	"hospay/money"
	"hospay/people"
	"hospay/refund"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

func mailAddress(s string) error {
	if a, err := mail.ParseAddress(s); err != nil || a.Address != s {
		return errors.New("应为邮箱地址，用作登录名")
	}
	return nil
}

func long(n int) func(string) error {
	return func(s string) error {
		if len([]rune(s)) < n {
			return fmt.Errorf("至少 %d 个字符", n)
		}
		return nil
	}
}

func doneSuperuser(w *wizard) (string, error) {
	all, err := w.rt.App.FindRecordsByFilter(core.CollectionNameSuperusers, "email != {:none}", "created", 1, 0,
		dbx.Params{"none": core.DefaultInstallerEmail})
	if err != nil || len(all) == 0 {
		return "", err
	}
	w.superuser = all[0].Id
	return all[0].Email(), nil
}

func runSuperuser(_ context.Context, w *wizard) error {
	address, err := w.ask(question{key: "superuser.email", label: "信息科的邮箱", help: "后台账号，只给信息科：看运行情况、装机；不能审核、付款。",
		check: mailAddress})
	if err != nil {
		return err
	}
	password, err := w.ask(question{key: "superuser.password", label: "密码", help: "至少 12 个字符；直接回车由程序生成。", optional: true, secret: true,
		check: long(12)})
	if err != nil {
		return err
	}
	if password == "" {
		password = rand.Text()
		fmt.Fprintf(w.out, "  密码：%s （只显示这一次）\n", password)
	}
	rec, err := w.fresh(core.CollectionNameSuperusers)
	if err != nil {
		return err
	}
	rec.SetEmail(address)
	rec.SetPassword(password)
	if err := w.rt.App.Save(rec); err != nil {
		return err
	}
	w.superuser = rec.Id
	fmt.Fprintf(w.out, "✓ 后台账号 %s\n", address)
	return nil
}

func doneHouse(w *wizard) (string, error) {
	all, err := w.rt.App.FindRecordsByFilter(collections.Institutions, "id != ''", "created", 1, 0)
	if err != nil || len(all) == 0 {
		return "", err
	}
	w.house = all[0]
	return fmt.Sprintf("%s（代码 %s）", w.house.GetString("name"), w.house.GetString("code")), nil
}

var codeForm = regexp.MustCompile(`^[a-z0-9-]{2,40}$`)

func runHouse(_ context.Context, w *wizard) error {
	q := []question{
		{key: "institution.name", label: "医院名称", check: long(2)},
		{key: "institution.code", label: "机构代码", help: "自己取，2 到 40 个小写字母、数字、短横线。", check: func(s string) error {
			if !codeForm.MatchString(s) {
				return errors.New("应为 2 到 40 个小写字母、数字、短横线")
			}
			return nil
		}},
		{key: "institution.portal_secret", label: "门户票据密钥", help: "本院公众号、门户用它给患者签票据，两边相同（接口见 docs/api.md）。至少 16 个字符；直接回车由程序生成。",
			optional: true, check: long(16)},
		{key: "institution.debit_at", label: "何时扣 HIS 余额", help: "application 申请时扣；approval 批准后扣（HIS 不能撤销时用）。",
			def: string(refund.DebitAtApplication), choices: []string{string(refund.DebitAtApplication), string(refund.DebitAtApproval)}},
		{key: "institution.second_factor", label: "员工登录的第二因素", help: "totp 手机动态口令（正式使用应选它）；off 只用密码。", def: "totp",
			choices: []string{"totp", "off"}},
	}
	v := map[string]string{}
	for _, one := range q {
		answer, err := w.ask(one)
		if err != nil {
			return err
		}
		v[strings.TrimPrefix(one.key, "institution.")] = answer
	}
	if v["portal_secret"] == "" {
		v["portal_secret"] = rand.Text() + rand.Text()
		fmt.Fprintf(w.out, "  门户票据密钥：%s （只显示这一次，交给门户的开发人员）\n", v["portal_secret"])
	}
	rec, err := w.fresh(collections.Institutions)
	if err != nil {
		return err
	}
	rec.Load(map[string]any{"code": v["code"], "name": v["name"], "active": true, "debit_at": v["debit_at"],
		"methods": []string{string(refund.MethodOriginal), string(refund.MethodTransfer)}, "min_amount": 10, "second_factor": v["second_factor"],
		"secrets_input": asJSON(map[string]string{"portal_secret": v["portal_secret"]})})
	if err := w.save(rec); err != nil {
		return err
	}
	w.house = rec
	fmt.Fprintf(w.out, "✓ 机构 %s，通知的默认文案已备好\n", v["name"])
	return nil
}

// posts are the accounts without which nothing can be changed, reviewed or ended.
var posts = []struct{ key, title, role, does string }{
	{"config", "配置员", people.RoleConfig, "提出配置变更"},
	{"finance", "财务", people.RoleFinance, "确认配置变更，处理挂账、对账"},
	{"reviewer1", "审核员", people.RoleReviewer, "审核退款"},
	{"reviewer2", "第二位审核员", people.RoleReviewer, "大额和代办的复核"},
}

func doneStaff(w *wizard) (string, error) {
	var roles []string
	err := w.rt.App.DB().Select("roles").From(collections.Staff).Where(dbx.HashExp{"institution": w.house.Id, "active": true}).
		AndWhere(dbx.Not(dbx.HashExp{"person_index": ""})).Column(&roles)
	have := strings.Join(roles, " ")
	for _, p := range posts {
		if err != nil || strings.Count(have, `"`+p.role+`"`) < 1 {
			return "", err
		}
	}
	return fmt.Sprintf("%d 个登记了身份证号的账号", len(roles)), nil
}

func runStaff(_ context.Context, w *wizard) error {
	fmt.Fprintln(w.out, "  每个账号是一个人，凭身份证号认人（只保存指纹）：提出人和确认人、审核人和复核人不能是同一个人。")
	for _, p := range posts {
		if err := w.member(p.key, p.title, p.role, p.does); err != nil {
			return err
		}
	}
	return nil
}

func (w *wizard) member(key, title, role, does string) error {
	address, err := w.ask(question{key: "staff." + key + ".email", label: title + "的邮箱", help: title + "：" + does + "。",
		optional: key == "reviewer2", check: mailAddress})
	if err != nil || address == "" {
		return err
	}
	if _, err := w.rt.App.FindAuthRecordByEmail(collections.Staff, address); err == nil {
		fmt.Fprintf(w.out, "✓ 已有：%s\n", address)
		return nil
	}
	name, err := w.ask(question{key: "staff." + key + ".name", label: title + "的姓名", check: long(2)})
	if err != nil {
		return err
	}
	number, err := w.ask(question{key: "staff." + key + ".id_no", label: title + "的身份证号", check: func(s string) error {
		if _, ok := idno.Birth(idno.Normalize(s), w.rt.now(), calendar.Beijing); !ok {
			return errors.New("身份证号不正确，请核对 18 位号码")
		}
		return w.nobodyElse(s)
	}})
	if err != nil {
		return err
	}
	rec, err := w.fresh(collections.Staff)
	if err != nil {
		return err
	}
	password := rand.Text()
	rec.Load(map[string]any{"email": address, "name": name, "roles": []string{role}, "active": true, "verified": true,
		"id_no_input": number, "first_password": true})
	rec.SetPassword(password)
	if err := w.save(rec); err != nil {
		return err
	}
	fmt.Fprintf(w.out, "✓ %s %s，初始密码 %s （只显示这一次，当面交给本人，登录后改掉）\n", title, address, password)
	return nil
}

// nobodyElse refuses the number of somebody who has an account: two accounts of
// one person are one person, and could never confirm each other.
func (w *wizard) nobodyElse(number string) error {
	rec, err := w.rt.App.FindFirstRecordByFilter(collections.Staff, "institution = {:i} && person_index = {:p}",
		dbx.Params{"i": w.house.Id, "p": w.rt.Store.PersonIndex(number)})
	if err == nil {
		return fmt.Errorf("这个身份证号已是 %s：提出人和确认人、审核人必须是不同的人", rec.Email())
	}
	return nil
}

func doneTexts(w *wizard) (string, error) {
	_, err := w.rt.App.FindFirstRecordByFilter(collections.Notices, `institution = {:i} && kind = {:k} && active = true`,
		dbx.Params{"i": w.house.Id, "k": collections.NoticeRefund})
	if err != nil {
		return "", nil // none yet
	}
	return "退款须知、审核规则", nil
}

// noticeText is what patients read before they apply; the hospital words its own
// later.
const noticeText = "<p>退款只能退给就诊卡本人。</p><p>一年内用微信、支付宝缴的预交金可原路退回；更早的或现金缴的，转账到您的微信零钱或支付宝余额。</p>" +
	"<p>退到微信零钱时，需要您在 24 小时内确认收款，未确认的款项会退回就诊卡。</p>"

func runTexts(_ context.Context, w *wizard) error {
	fmt.Fprintln(w.out, "  审核：自动审核先关着，每一笔由人审；规则已按保守的默认值写好，可在 系统配置 → 自动审核 先“只记录”观察。")
	second, err := w.ask(question{key: "review.second_from", label: "多少元以上要两个人审核", def: "5000", check: func(s string) error {
		_, err := money.Parse(s)
		return err
	}})
	if err != nil {
		return err
	}
	content, err := w.ask(question{key: "notice.content", label: "退款须知（HTML）", help: "患者申请前要同意。直接回车用默认文字，以后可改：\n" +
		noticeText, def: noticeText, file: true})
	if err != nil {
		return err
	}
	limit, err := money.Parse(second)
	if err != nil {
		return err
	}
	review, err := w.fresh(collections.ReviewSettings)
	if err != nil {
		return err
	}
	have, err := w.rt.App.FindFirstRecordByFilter(collections.ReviewSettings, "institution = {:i}", dbx.Params{"i": w.house.Id})
	if err == nil {
		review = have
	}
	review.Load(map[string]any{"auto": false, "rules": refund.DefaultRules(), "second_from": int64(limit), "second_proxy": true})
	notice, err := w.fresh(collections.Notices)
	if err != nil {
		return err
	}
	notice.Load(map[string]any{"kind": collections.NoticeRefund, "version": "1", "title": "预交金退款须知", "active": true, "content": content})
	if err := w.gateway(); err != nil {
		return err
	}
	if err := errors.Join(w.save(review), w.save(notice)); err != nil {
		return err
	}
	fmt.Fprintf(w.out, "✓ 退款须知、审核规则（%s 元以上两个人审）\n", second)
	return nil
}

// gateway sets up short messages, the way that needs no template of a channel.
func (w *wizard) gateway() error {
	address, err := w.ask(question{key: "sms.url", label: "短信网关地址",
		optional: true,
		help:     "患者的通知怎样送达：短信网关（设置见 docs/sms.md），或稍后在 系统配置 → 通知文案 填微信、支付宝模板编号。",
		check: func(s string) error {
			if u, err := url.Parse(s); err != nil || u.Host == "" {
				return errors.New("应为 http(s) 地址")
			}
			return nil
		}})
	if err != nil || address == "" {
		return err
	}
	settings, err := w.ask(question{key: "sms.settings", label: "网关设置（JSON）", file: true, check: isObject})
	if err != nil {
		return err
	}
	secrets, err := w.ask(question{key: "sms.secrets", label: "网关密钥（JSON）", file: true, check: isObject})
	if err != nil {
		return err
	}
	rec, err := w.fresh(collections.SMSConfigs)
	if err != nil {
		return err
	}
	rec.Load(map[string]any{"active": true, "url": address, "settings": settings, "secrets_input": secrets})
	if err := w.save(rec); err != nil {
		return err
	}
	texts, err := w.rt.App.FindRecordsByFilter(collections.NotificationTexts, "institution = {:i}", "", 0, 0, dbx.Params{"i": w.house.Id})
	for _, t := range texts {
		t.Set("sms", true)
		if err := w.save(t); err != nil {
			return err
		}
	}
	return err
}
