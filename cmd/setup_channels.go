package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hospay/channels"
	"hospay/collections"
	"hospay/flow"

	"github.com/pocketbase/dbx"
)

// entry is what a channel must be told, and what to ask it for.
type entry struct {
	title   string
	ask     string   // what the hospital asks the channel for
	secrets []string // needed
	more    []string // may be left out
	app     string   // what the application id is called
	house   string   // what the merchant's number is called
}

var entries = map[string]entry{
	"wechat": {
		title: "微信支付", house: "商户号", app: "公众号或小程序的 AppID",
		ask: "先向微信支付（商户平台 pay.weixin.qq.com，或服务商）要好：\n" +
			"  1. 商户号，与公众号或小程序的 AppID 绑定；开通“商家转账”，场景报备（默认场景 1011），申请单笔、单日转账额度；开通原路退款。\n" +
			"  2. API 安全：商户证书（apiclient_cert.pem、apiclient_key.pem）和证书序列号、APIv3 密钥、微信支付公钥和公钥 ID。\n" +
			"  3. 公众平台：AppSecret；网页授权域名设为本院域名，下载 MP_verify_….txt 验证文件。\n" +
			"  4. 商户平台 → IP 白名单：本服务器的出口地址。用于对账的资金账单、交易账单下载权限。",
		secrets: []string{"private_key", "serial_no", "api_v3_key", "public_key", "public_key_id"}, more: []string{"merchant_cert", "app_secret"},
	},
	"alipay": {
		title: "支付宝", house: "商户 PID（2088 开头）", app: "应用 AppID",
		ask: "先向支付宝（开放平台 open.alipay.com，或服务商）要好：\n" +
			"  1. 应用，签约“转账到支付宝账户”和退款；转账场景名称、单笔和单日额度；转账须用证书模式。\n" +
			"  2. 应用私钥（本院生成），上传公钥后下载：应用公钥证书、支付宝公钥证书、支付宝根证书。\n" +
			"  3. 应用网关（接收通知）：https://本院域名/api/hospay/notify/alipay/机构编号（保存后程序会写出）。\n" +
			"  4. 服务器 IP 白名单（如开启）、signcustomer 账单下载权限。",
		secrets: []string{"private_key", "app_cert", "alipay_cert", "alipay_root_cert"}, more: []string{"encrypt_key"},
	},
}

func doneChannel(name string) func(*wizard) (string, error) {
	return func(w *wizard) (string, error) {
		rec, err := w.rt.App.FindFirstRecordByFilter(collections.ChannelConfigs, "institution = {:i} && channel = {:c}",
			dbx.Params{"i": w.house.Id, "c": name})
		if err != nil {
			return "", nil // none yet
		}
		return "商户 " + rec.GetString("merchant_id"), nil
	}
}

func isURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("应为 http(s) 地址")
	}
	return nil
}

func isObject(s string) error {
	var m map[string]any
	if json.Unmarshal([]byte(s), &m) != nil {
		return errors.New("应为 JSON 对象")
	}
	return nil
}

// runChannel asks for what the channel describes itself, and tries it.
func runChannel(name string) func(context.Context, *wizard) error {
	return func(ctx context.Context, w *wizard) error {
		e := entries[name]
		fmt.Fprintf(w.out, "  %s\n", strings.ReplaceAll(e.ask, "\n", "\n  "))
		use, err := w.yes(name+".use", "现在配置"+e.title+"吗", "n")
		if err != nil || !use {
			return err
		}
		if name == "wechat" {
			if err := w.proofFile(); err != nil {
				return err
			}
		}
		for {
			err := w.channel(ctx, name, e)
			if err == nil || w.from == nil || errors.Is(err, errLeft) {
				return err
			}
			fmt.Fprintf(w.out, "  ✗ %s。请重新填写。\n", flow.WordsOf(err))
		}
	}
}

func (w *wizard) channel(ctx context.Context, name string, e entry) error {
	values := map[string]any{"channel": name, "active": true}
	for _, q := range []question{
		{key: name + ".merchant_id", label: e.house}, {key: name + ".app_id", label: e.app},
		{key: name + ".notify_base", label: "本院的外网地址", help: "渠道的通知发到这里，例如 https://refund.example-hospital.cn。", check: isURL},
		{key: name + ".api_base", label: "渠道接口地址", help: "正式使用直接回车。", optional: true, check: isURL},
		{key: name + ".settings", label: "其他设置（JSON；名称见 hospay config fields）", def: "{}", file: true, check: isObject},
	} {
		v, err := w.ask(q)
		if err != nil {
			return err
		}
		values[strings.TrimPrefix(q.key, name+".")] = v
	}
	secrets := map[string]string{}
	for _, f := range channels.Describe(name) {
		needed := slices.Contains(e.secrets, f.Name)
		if _, given := w.given[name+"."+f.Name]; !f.Secret || !needed && !given && !slices.Contains(e.more, f.Name) {
			continue
		}
		v, err := w.ask(question{key: name + "." + f.Name, label: f.Label, help: f.Help, file: true, optional: !needed})
		if err != nil {
			return err
		}
		if v != "" {
			secrets[f.Name] = v
		}
	}
	rec, err := w.fresh(collections.ChannelConfigs)
	if err != nil {
		return err
	}
	values["secrets_input"] = asJSON(secrets)
	rec.Load(values)
	if _, err := w.rt.Store.TryChannel(rec, secrets); err != nil {
		return err
	}
	if err := w.save(rec); err != nil {
		return err
	}
	fmt.Fprintf(w.out, "✓ %s 已保存。通知地址：%s/api/hospay/notify/%s/%s\n", e.title, rec.GetString("notify_base"), name, w.house.Id)
	conn, err := w.rt.Store.Connection(ctx, w.house.Id, name)
	if err != nil {
		return err
	}
	reportChannel(ctx, w.house.GetString("name"), name, conn, w.rt.now(), func(what string, err error) {
		if err != nil {
			fmt.Fprintf(w.out, "  ✗ %s：%s（信息科：核对地址、密钥、IP 白名单；之后用 hospay config check 再看）\n", what, flow.WordsOf(err))
			return
		}
		fmt.Fprintf(w.out, "  ✓ %s\n", what)
	})
	return nil
}

// proofFile lays WeChat's file into the folder from which it is served.
func (w *wizard) proofFile() error {
	name, text, err := w.file(question{key: "wechat.verify_file", label: "验证文件 MP_verify_….txt", help: "微信公众平台要求放在域名根目录；程序会直接提供它。",
		optional: true}, func(name string, text []byte) error {
		if !proofName.MatchString("/"+name) || len(text) > mostProof {
			return errors.New("不是微信的验证文件（MP_verify_….txt）")
		}
		return nil
	})
	if err != nil || name == "" {
		return err
	}
	folder := filepath.Join(w.rt.App.DataDir(), proofs)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	fmt.Fprintf(w.out, "✓ 验证文件将在 /%s\n", name)
	return os.WriteFile(filepath.Join(folder, name), text, 0o600)
}

func asJSON(m map[string]string) string {
	b, err := json.Marshal(m)
	if err != nil {
		return "{}"
	}
	return string(b)
}
