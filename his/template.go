package his

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
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

// Places of settlement information: of a field, and of the whole as JSON.
const (
	setlPlace = "setl."
	jsonPlace = "json."
)

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

// Filler is Fill as an adapter needs it.
type Filler func(template string, values map[string]string) string

// FillJSON is Fill for a template of JSON: the places of jsonPlace get their
// value as it is, which is an object by itself.
func FillJSON(template string, values map[string]string, escape func(string) string) string {
	return place.ReplaceAllStringFunc(template, func(p string) string {
		name := p[1 : len(p)-1]
		v, ok := values[name]
		switch {
		case !ok:
			return p
		case strings.HasPrefix(name, jsonPlace):
			return v
		}
		return escape(v)
	})
}

// settled puts the settlement information (setlinfo) of a charge at the disposal
// of a template: whole as {setl_info} and {json.setl_info}, its fields as
// {setl.name}. What it lacks is empty.
func settled(values map[string]string, info []byte, body string) {
	fields := map[string]any{}
	d := json.NewDecoder(bytes.NewReader(info))
	d.UseNumber()
	if d.Decode(&fields) != nil || fields == nil {
		fields = map[string]any{}
	}
	whole, err := json.Marshal(fields) // no name twice, nothing after it
	if err != nil {
		whole = []byte("{}")
	}
	values["setl_info"], values[jsonPlace+"setl_info"] = string(whole), string(whole)
	for _, m := range place.FindAllStringSubmatch(body, -1) {
		name, ok := strings.CutPrefix(m[1], setlPlace)
		if !ok {
			continue
		}
		text := ""
		switch v := fields[name].(type) {
		case string:
			text = v
		case json.Number:
			text = v.String()
		}
		values[m[1]] = text
	}
}

// CheckTemplates makes sure that every placeholder of the mapping is known and
// that filled templates are valid in the adapter's format.
func CheckTemplates(cfg Config, m Mapping, fill Filler, valid func(string) error) error {
	for name, op := range m.Operations {
		allowed := append([]string{"now"}, rules[name].places...)
		if err := CheckPlaces(op.Body, allowed, cfg.Secrets); err != nil {
			return fmt.Errorf("操作 %s 的请求模板：%w", name, err)
		}
		if err := valid(fill(op.Body, samples(cfg, m, op, allowed))); err != nil {
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

// samples are hostile values of every place of an operation.
func samples(cfg Config, m Mapping, op Operation, allowed []string) map[string]string {
	values := secretValues(map[string]string{}, cfg.Secrets)
	for k := range values {
		values[k] = sample
	}
	for _, k := range allowed {
		values[k] = sample
	}
	for _, named := range place.FindAllStringSubmatch(op.Body, -1) {
		if strings.HasPrefix(named[1], setlPlace) {
			values[named[1]] = sample
		}
	}
	for _, k := range numbers {
		values[k] = m.amount(100)
	}
	values["page"], values["page_size"], values[jsonPlace+"setl_info"] = "1", "1", "{}"
	return values
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
		if strings.HasPrefix(name, setlPlace) && slices.Contains(allowed, "setl_info") {
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
