package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"hospay/collections"
	"hospay/config"
	"hospay/flow"
	"hospay/his/samples"
	"hospay/internal/checkup"
	"hospay/internal/wire"
	"hospay/money"
	"hospay/people"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

func doneHIS(w *wizard) (string, error) {
	rec, err := w.rt.App.FindFirstRecordByFilter(collections.HISConfigs, "institution = {:i}", dbx.Params{"i": w.house.Id})
	if err == nil {
		return rec.GetString("base_url"), nil
	}
	waiting, err := w.rt.App.FindFirstRecordByFilter(collections.ConfigChanges, "institution = {:i} && collection = {:c} && state = {:s}",
		dbx.Params{"i": w.house.Id, "c": collections.HISConfigs, "s": collections.ChangeWaiting})
	if err == nil {
		return "已提出，等财务在控制台 系统配置 → 变更记录 确认（" + waiting.GetString("created") + "）", nil
	}
	return "", nil
}

// hisAnswers are what is known of a HIS that is being set up.
type hisAnswers struct {
	values  config.Values
	secrets map[string]string
	rec     *core.Record
}

func runHIS(ctx context.Context, w *wizard) error {
	fmt.Fprintln(w.out, "  HIS 怎么说话由一份映射（JSON）决定，见 docs/zh/对接HIS.md。程序里有三份完整的样例，先选一份，再照 HIS 的接口文档改。")
	use, err := w.yes("his.use", "现在对接 HIS 吗", "n")
	if err != nil || !use {
		return err
	}
	for {
		h, err := w.askHIS()
		if err != nil {
			return err
		}
		if err = w.probeHIS(ctx, h); err == nil {
			return w.keepHIS(h)
		}
		if errors.Is(err, errLeft) {
			return err
		}
		fmt.Fprintf(w.out, "  ✗ %s。上面是发出和收到的内容（已遮盖个人信息），请与 HIS 厂商核对。\n", flow.WordsOf(err))
		keep, err := w.yes("his.keep", "先按现在的内容保存，以后再改吗（否则重新填写）", "n")
		if err != nil {
			return err
		}
		if keep {
			return w.keepHIS(h)
		}
		if w.from == nil {
			return errors.New("HIS 没有探测成功；要先保存，答案 his.keep 写 y")
		}
	}
}

func (w *wizard) askHIS() (*hisAnswers, error) {
	var names []string
	for _, s := range samples.List() {
		names = append(names, s.Name)
		fmt.Fprintf(w.out, "  %-10s %s\n", s.Name, s.Title)
	}
	name, err := w.ask(question{key: "his.sample", label: "接口是哪一种", def: names[0], choices: names})
	if err != nil {
		return nil, err
	}
	sample, kind, err := samples.Mapping(name)
	if err != nil {
		return nil, err
	}
	draft := filepath.Join(w.rt.App.DataDir(), "his-mapping.json")
	if _, err := os.Stat(draft); errors.Is(err, os.ErrNotExist) {
		if err := os.WriteFile(draft, []byte(sample), 0o600); err != nil {
			return nil, err
		}
	}
	fmt.Fprintf(w.out, "  样例已写到 %s，可先离开去改它，再回来。\n", draft)
	h := &hisAnswers{secrets: map[string]string{}, values: config.Values{"kind": kind, "active": true}}
	address, err := w.ask(question{key: "his.base_url", label: "HIS 接口地址", help: "例如 http://10.1.2.3:8080/his",
		check: func(s string) error { _, err := wire.ParseBase(s); return err }})
	if err != nil {
		return nil, err
	}
	mapping, err := w.ask(question{key: "his.mapping", label: "映射", def: "@" + draft, file: true, check: isObject})
	if err != nil {
		return nil, err
	}
	h.values["base_url"], h.values["mapping"] = address, mapping
	for _, s := range []struct{ name, label string }{{"key", "接口 key"}, {"sign_key", "签名密钥 sign_key"}, {"user", "用户名 user"},
		{"password", "口令 password"}} {
		if !strings.Contains(mapping, "{secret."+s.name+"}") && !(s.name == "sign_key" && strings.Contains(mapping, "{sign.")) {
			continue // the mapping does not use it
		}
		if h.secrets[s.name], err = w.ask(question{key: "his." + s.name, label: s.label, file: true}); err != nil {
			return nil, err
		}
	}
	for _, trait := range [][2]string{{"queryable", "HIS 能按我方流水号查询退款吗"}, {"idempotent", "同一流水号重复提交 HIS 只退一次吗"},
		{"reversible", "HIS 能撤销退预交金吗"}} {
		if h.values[trait[0]], err = w.yes("his."+trait[0], trait[1], "y"); err != nil {
			return nil, err
		}
	}
	h.values["timeout_ms"] = float64(8000)
	h.rec, err = w.fresh(collections.HISConfigs)
	if err == nil {
		h.rec.Load(h.values)
	}
	return h, err
}

// probeHIS tries the connection before it is kept, with a test patient, and shows
// what was said on both sides.
func (w *wizard) probeHIS(ctx context.Context, h *hisAnswers) error {
	var p checkup.Patient
	for _, q := range []struct {
		key, label string
		into       *string
	}{{"his.test_patient", "测试患者的编号", &p.No}, {"his.test_id_no", "测试患者的证件号", &p.IDNo}, {"his.test_name", "测试患者的姓名", &p.Name}} {
		v, err := w.ask(question{key: q.key, label: q.label})
		if err != nil {
			return err
		}
		*q.into = v
	}
	amount, err := w.ask(question{key: "his.test_amount", label: "试退多少元", help: "用测试患者的卡退这么多并随即撤销，跑通六个动钱的应答；0 只查询。", def: "0",
		check: func(s string) error { _, err := money.Parse(s); return err }})
	if err != nil {
		return err
	}
	fen, err := money.Parse(amount)
	if err != nil {
		return err
	}
	t := &tape{show: true, private: append(values(h.secrets), p.No, p.IDNo, p.Name)}
	conn, _, err := w.rt.Store.TryHIS(h.rec, h.secrets, t.hear)
	if err != nil {
		return err
	}
	l := &checkup.List{Each: func(s checkup.Step) { printStep(w.out, s); t.play(w.out, s.OK) }}
	card := l.Read(ctx, conn, p)
	if card == "" {
		return errors.New("没有可用的就诊卡，后面的调用无法进行")
	}
	if fen > 0 {
		l.Move(ctx, conn, card, fen, w.rt.now())
	}
	l.Statement(ctx, conn, w.rt.Books.Today())
	if n := l.Failed(); n > 0 {
		return fmt.Errorf("%d 个调用没有成功", n)
	}
	return nil
}

// keepHIS saves the connection. What travels in the clear inside the house two
// people have to say: the one who configures proposes it here, under the own
// password, and finance confirms in the console.
func (w *wizard) keepHIS(h *hisAnswers) error {
	base, err := wire.ParseBase(h.values["base_url"].(string))
	if err != nil {
		return err
	}
	if base.Scheme == "https" || !w.settings.Production {
		h.rec.Set("secrets_input", asJSON(h.secrets))
		if err := w.save(h.rec); err != nil {
			return err
		}
		fmt.Fprintln(w.out, "✓ HIS 已保存")
		return nil
	}
	fmt.Fprintf(w.out, "  %s 不是 https，要两个人确认：现在由配置员本人提出，财务登录控制台在 系统配置 → 变更记录 确认。\n", base.Host)
	config, err := w.rt.App.FindFirstRecordByFilter(collections.Staff, "institution = {:i} && active = true && roles ~ {:r}",
		dbx.Params{"i": w.house.Id, "r": people.RoleConfig})
	if err != nil {
		return errors.New("还没有配置员的账号")
	}
	password, err := w.ask(question{key: "his.config_password", label: "配置员 " + config.Email() + " 的密码（由本人输入；回车则以后在控制台提出）",
		optional: true, secret: true,
		check: func(s string) error {
			if !config.ValidatePassword(s) {
				return errors.New("密码不正确")
			}
			return nil
		}})
	if err != nil {
		return err
	}
	if password == "" {
		fmt.Fprintf(w.out, "  没有保存。映射在 %s，请配置员登录控制台 系统配置 → HIS 提出。\n", filepath.Join(w.rt.App.DataDir(), "his-mapping.json"))
		return nil
	}
	return w.proposeHIS(config.Id, h)
}

func (w *wizard) proposeHIS(proposer string, h *hisAnswers) error {
	secrets := map[string]any{}
	for k, v := range h.secrets {
		secrets[k] = v
	}
	h.values["secrets"] = secrets
	_, err := w.settings.Propose(proposer, config.Proposal{Target: config.Target{Collection: collections.HISConfigs}, Values: h.values,
		Note: "首次安装"}, "setup")
	if err == nil {
		fmt.Fprintln(w.out, "✓ 已提出，等财务确认")
	}
	return err
}

func values(m map[string]string) (out []string) {
	for _, v := range m {
		out = append(out, v)
	}
	return out
}
