package wechat

import (
	"strings"
	"testing"

	"hospay/channels"
	"hospay/money"
)

func TestNew_NamesEveryMistake(t *testing.T) {
	for name, row := range map[string]struct {
		spoil func(*channels.Config)
		want  string
	}{
		"空配置":    {func(c *channels.Config) { *c = channels.Config{} }, "商户号"},
		"没有私钥":   {func(c *channels.Config) { c.Secrets["private_key"] = "" }, "商户私钥"},
		"私钥不可读":  {func(c *channels.Config) { c.Secrets["private_key"] = "hello" }, "商户私钥"},
		"用错了公钥":  {func(c *channels.Config) { c.Secrets["private_key"] = c.Secrets["public_key"] }, "不是 RSA 私钥"},
		"序列号":    {func(c *channels.Config) { c.Secrets["serial_no"] = "xyz" }, "序列号"},
		"密钥长度":   {func(c *channels.Config) { c.Secrets["api_v3_key"] = "short" }, "32"},
		"没有微信公钥": {func(c *channels.Config) { c.Secrets["public_key"] = "" }, "公钥或平台证书"},
		"没有公钥号":  {func(c *channels.Config) { c.Secrets["public_key_id"] = "" }, "PUB_KEY_ID_"},
		"证书":     {func(c *channels.Config) { c.Secrets["platform_certs"] = "x" }, "平台证书"},
		"地址":     {func(c *channels.Config) { c.APIBase = "ftp://x" }, "接口地址"},
		"带口令的地址": {func(c *channels.Config) { c.APIBase = "https://u:p@x" }, "接口地址"},
		"金额":     {func(c *channels.Config) { c.Settings["single_limit"] = "-1" }, "single_limit"},
		"报备":     {func(c *channels.Config) { c.Settings["report_infos"] = "[" }, "report_infos"},
		"报备过长":   {func(c *channels.Config) { c.Settings["report_infos"] = `[{"info_type":"","info_content":"x"}]` }, "report_infos"},
		"场景":     {func(c *channels.Config) { c.Settings["scene_id"] = "abc" }, "scene_id"},
		"方式":     {func(c *channels.Config) { c.Settings["methods"] = "cash" }, "methods"},
		"时长":     {func(c *channels.Config) { c.Settings["timeout"] = "10" }, "timeout"},
		"代理":     {func(c *channels.Config) { c.Settings["proxy"] = "proxy:3128" }, "代理"},
	} {
		cfg := testConfig("")
		row.spoil(&cfg)
		_, err := New(cfg)
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, s := range cfg.Secrets {
			if len(s) > 8 && strings.Contains(err.Error(), s) {
				t.Errorf("%s: secret in %v", name, err)
			}
		}
	}
}

func TestSettings_Defaults(t *testing.T) {
	c := newClient(t, testConfig(""))
	caps := c.Capabilities()
	if caps.MinAmount != 10 || caps.NameFrom != 200_000 || !caps.PayeeConfirms || len(caps.Methods) != 2 || caps.SingleLimit != 0 {
		t.Errorf("%+v", caps)
	}
	if c.host != mpBase || c.oauth != oauthBase {
		t.Errorf("%s %s", c.host, c.oauth)
	}
	cfg := testConfig("https://api2.mch.weixin.qq.com")
	cfg.Settings = map[string]string{"single_limit": "20000", "scene_id": "1002", "methods": "transfer"}
	c = newClient(t, cfg)
	if c.host != mpBase || c.caps.SingleLimit != money.Fen(20000) || c.scene != "1002" || len(c.caps.Methods) != 1 {
		t.Errorf("%+v", c.config.caps)
	}
	if sim := newClient(t, testConfig("http://127.0.0.1:9101/")); sim.host != "http://127.0.0.1:9101" || sim.oauth != sim.host {
		t.Errorf("%s %s", sim.host, sim.oauth)
	}
}
