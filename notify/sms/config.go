// Package sms sends notices as short messages through the HTTP gateway that a
// hospital already has. How the gateway is spoken to is configuration; the
// address is fixed, and no value can break out of its place in the template.
package sms

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// Config is one institution's gateway. docs/sms.md explains the settings.
type Config struct {
	URL         string            `json:"-"`
	Secrets     map[string]string `json:"-"`
	Method      string            `json:"method"`       // POST (default), GET: the body template is then the query
	ContentType string            `json:"content_type"` // form (default), json, xml
	Headers     map[string]string `json:"headers"`
	Body        string            `json:"body"`
	Charset     string            `json:"charset"`     // utf-8 (default), gbk
	Sign        string            `json:"sign"`        // template of the text that {sign.*} signs
	SignUpper   bool              `json:"sign_upper"`  // hex digits in capitals
	TimeLayout  string            `json:"time_layout"` // of {time}; default 20060102150405
	Success     Success           `json:"success"`
	TimeoutMS   int               `json:"timeout_ms"` // default 5000, at most 9000
	QuietFrom   string            `json:"quiet_from"` // Beijing time; default 22:00
	QuietTo     string            `json:"quiet_to"`   // default 08:00; equal to quiet_from = never quiet

	Transport http.RoundTripper `json:"-"` // nil = one that dials the address only
	Now       func() time.Time  `json:"-"` // stamps requests; nil = time.Now
	Clock     func() time.Time  `json:"-"` // the program's clock, by which quiet hours go; nil = Now
}

// Success says by what an answer is known to be a success. Without anything,
// HTTP 200 is enough.
type Success struct {
	Path    string   `json:"path"`    // gjson path of a code
	Values  []string `json:"values"`  // its values that mean sent
	Refused []string `json:"refused"` // its values that a repeat cannot mend
	Match   string   `json:"match"`   // or: regular expression on the text of the answer
	ID      string   `json:"id"`      // gjson path of the gateway's number
}

// ParseConfig reads the settings of an institution.
func ParseConfig(address string, settings json.RawMessage, secrets map[string]string) (Config, error) {
	cfg := Config{URL: address, Secrets: secrets}
	if len(settings) == 0 {
		return cfg, errors.New("短信设置为空")
	}
	d := json.NewDecoder(bytes.NewReader(settings))
	d.DisallowUnknownFields()
	if err := d.Decode(&cfg); err != nil {
		return cfg, fmt.Errorf("短信设置不是有效的 JSON，或含有未知的设置：%w", err)
	}
	return cfg, nil
}

// defaults fills what may be left out.
func (c *Config) defaults() {
	for into, value := range map[*string]string{
		&c.Method: http.MethodPost, &c.ContentType: "form", &c.Charset: "utf-8", &c.TimeLayout: "20060102150405", &c.QuietFrom: "22:00",
		&c.QuietTo: "08:00",
	} {
		if *into == "" {
			*into = value
		}
	}
	if c.TimeoutMS <= 0 {
		c.TimeoutMS = 5000
	}
	c.TimeoutMS = min(c.TimeoutMS, 9000)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Clock == nil {
		c.Clock = c.Now
	}
	c.Method, c.Charset = strings.ToUpper(c.Method), strings.ToLower(c.Charset)
}

// address checks the gateway's address.
func (c *Config) address() (*url.URL, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil || u.Fragment != "" ||
		strings.ContainsAny(c.URL, "{}") {
		return nil, errors.New("短信网关地址不是有效的 http(s) 地址（不能带用户名、密码、占位符和 #）")
	}
	if c.Method != http.MethodPost && c.Method != http.MethodGet {
		return nil, errors.New("短信设置的 method 应为 POST 或 GET")
	}
	if c.Method == http.MethodGet && (u.RawQuery != "" || c.ContentType != "form") {
		return nil, errors.New("短信网关用 GET 时，参数写在 body 里（content_type 为 form），地址不带 ?")
	}
	return u, nil
}

func (c *Config) encoding() (encoding.Encoding, error) {
	switch c.Charset {
	case "utf-8", "utf8":
		return encoding.Nop, nil
	case "gbk", "gb2312":
		return simplifiedchinese.GBK, nil
	case "gb18030":
		return simplifiedchinese.GB18030, nil
	}
	return nil, fmt.Errorf("短信设置的字符集 %.20q 不支持", c.Charset)
}

var (
	place     = regexp.MustCompile(`\{([A-Za-z][A-Za-z0-9_.]*)\}`)
	signs     = []string{"sign.md5", "sign.sha256", "sign.hmac_sha256"}
	anyPlaces = append([]string{"id", "time"}, signs...)
)

// checkPlaces refuses placeholders that would be sent as they stand.
func (c *Config) checkPlaces() error {
	for what, t := range map[string]struct {
		text    string
		allowed []string
	}{
		"body": {c.Body, append([]string{"phone", "text"}, anyPlaces...)}, "sign": {c.Sign, []string{"phone", "text", "id", "time"}},
		"headers": {strings.Join(values(c.Headers), "\n"), anyPlaces},
	} {
		for _, m := range place.FindAllStringSubmatch(t.text, -1) {
			key, secret := strings.CutPrefix(m[1], "secret.")
			if _, held := c.Secrets[key]; secret && held || !secret && slices.Contains(t.allowed, m[1]) {
				continue
			}
			return fmt.Errorf("短信设置的 %s：占位符 {%s} 未知，或所指的密钥没有填写", what, m[1])
		}
		if c.Sign == "" && strings.Contains(t.text, "{sign.") {
			return errors.New("短信设置用了 {sign.*}，但没有填写 sign（被签名的内容）")
		}
	}
	if !strings.Contains(c.Body, "{phone}") || !strings.Contains(c.Body, "{text}") {
		return errors.New("短信设置的 body 要有 {phone} 和 {text}")
	}
	return nil
}

func values(m map[string]string) []string {
	var out []string
	for _, v := range m {
		out = append(out, v)
	}
	return out
}
