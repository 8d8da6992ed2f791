package his

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// place is a placeholder. Braces around anything else, such as those of JSON,
// stand for themselves.
var place = regexp.MustCompile(`\{([A-Za-z][A-Za-z0-9_.]*)\}`)

// hmacPlace is the lower-case hex HMAC-SHA256 of the sent body under the secret
// sign_key; it is for headers.
const hmacPlace = "sign.hmac_sha256"

// sample is hostile on purpose: a template in which it does no harm is one from
// which no value can break out.
const sample = `a b<&>"'\`

// Fill puts values into a template's {places} in one pass, each escaped for the
// format; what a value holds is never taken for a placeholder.
func Fill(template string, values map[string]string, escape func(string) string) string {
	return place.ReplaceAllStringFunc(template, func(p string) string {
		if v, ok := values[p[1:len(p)-1]]; ok {
			return escape(v)
		}
		return p
	})
}

// CheckTemplates makes sure that every placeholder of the mapping is known and
// that filled templates are valid in the adapter's format.
func CheckTemplates(cfg Config, m Mapping, escape func(string) string, valid func(string) error) error {
	for name, op := range m.Operations {
		allowed := append([]string{"now"}, rules[name].places...)
		if err := CheckPlaces(op.Body, allowed, cfg.Secrets); err != nil {
			return fmt.Errorf("操作 %s 的请求模板：%w", name, err)
		}
		values := secretValues(map[string]string{}, cfg.Secrets)
		for k := range values {
			values[k] = sample
		}
		for _, k := range allowed {
			values[k] = sample
		}
		values["amount"], values["page"], values["page_size"] = m.amount(100), "1", "1"
		if err := valid(Fill(op.Body, values, escape)); err != nil {
			return fmt.Errorf("操作 %s 的请求模板填写后格式不对（文字类占位符要放在引号或标签之内）：%w", name, err)
		}
	}
	for name, text := range m.Headers {
		if err := CheckPlaces(text, []string{hmacPlace, "now"}, cfg.Secrets); err != nil {
			return fmt.Errorf("请求头 %s：%w", name, err)
		}
		if strings.Contains(text, "{"+hmacPlace+"}") && cfg.Secrets["sign_key"] == "" {
			return fmt.Errorf("请求头 %s 要签名，但没有填写密钥 sign_key", name)
		}
	}
	return nil
}

// CheckPlaces refuses placeholders that are not allowed and secrets that are not
// held: they would be sent as they stand.
func CheckPlaces(template string, allowed []string, secrets map[string]string) error {
	for _, m := range place.FindAllStringSubmatch(template, -1) {
		name := m[1]
		if key, ok := strings.CutPrefix(name, "secret."); ok {
			if _, held := secrets[key]; !held {
				return fmt.Errorf("占位符 {%s} 所指的密钥没有填写", name)
			}
			continue
		}
		if !slices.Contains(allowed, name) {
			return fmt.Errorf("未知的占位符 {%s}", name)
		}
	}
	return nil
}

func secretValues(values, secrets map[string]string) map[string]string {
	for k, v := range secrets {
		values["secret."+k] = v
	}
	return values
}

// Header fills the mapping's headers for a body that is ready to be sent.
func (m Mapping) Header(secrets map[string]string, now string, body []byte) http.Header {
	values := secretValues(map[string]string{"now": now}, secrets)
	mac := hmac.New(sha256.New, []byte(secrets["sign_key"]))
	mac.Write(body)
	values[hmacPlace] = hex.EncodeToString(mac.Sum(nil))
	h := http.Header{}
	for k, v := range m.Headers {
		h.Set(k, Fill(v, values, func(s string) string { return s }))
	}
	return h
}
