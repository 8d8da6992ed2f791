// Package rest speaks to a HIS that offers JSON over HTTP. Where the fields
// are and what the codes mean is the mapping's business.
package rest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"unicode/utf8"

	"hospay/his"
	"hospay/refund"

	"github.com/tidwall/gjson"
	"golang.org/x/text/encoding"
)

// adapter is the exchange of one configuration.
type adapter struct {
	client  *his.Client
	mapping his.Mapping
	secrets map[string]string
	charset encoding.Encoding
}

// New returns a HIS over JSON.
func New(cfg his.Config) (refund.HIS, error) {
	m, err := his.ParseMapping(cfg.Mapping)
	if err != nil {
		return nil, err
	}
	client, err := his.NewClient(cfg)
	if err != nil {
		return nil, err
	}
	charset, err := his.Charset(m.Charset)
	if err != nil {
		return nil, err
	}
	a := &adapter{client: client, mapping: m, secrets: cfg.Secrets, charset: charset}
	return &his.Engine{Mapping: m, Exchange: a.exchange}, nil
}

func (a *adapter) exchange(ctx context.Context, op his.Operation, values map[string]string) (his.Document, error) {
	body := []byte(his.Fill(op.Body, values, escape))
	if !json.Valid(body) {
		return nil, fmt.Errorf("操作 %s 的请求模板填写后不是有效的 JSON", op.Path)
	}
	if a.charset != nil {
		encoded, err := a.charset.NewEncoder().Bytes(body)
		if err != nil {
			return nil, err
		}
		body = encoded
	}
	status, _, data, err := a.client.Post(ctx, op.Path, a.header(body), body)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("HTTP %d", status)
	}
	return a.parse(data)
}

// header fills the mapping's headers; {sign.hmac_sha256} is the lower-case hex
// HMAC of the body under the secret "sign_key".
func (a *adapter) header(body []byte) http.Header {
	values := map[string]string{}
	for k, v := range a.secrets {
		values["secret."+k] = v
	}
	mac := hmac.New(sha256.New, []byte(a.secrets["sign_key"]))
	mac.Write(body)
	values["sign.hmac_sha256"] = hex.EncodeToString(mac.Sum(nil))
	h := http.Header{"Content-Type": {"application/json; charset=utf-8"}, "Accept": {"application/json"}}
	for k, v := range a.mapping.Headers {
		h.Set(k, his.Fill(v, values, func(s string) string { return s }))
	}
	return h
}

// parse accepts exactly one valid JSON object in the declared charset.
func (a *adapter) parse(data []byte) (his.Document, error) {
	if a.charset != nil {
		decoded, err := a.charset.NewDecoder().Bytes(data)
		if err != nil {
			return nil, err
		}
		data = decoded
	}
	if !utf8.Valid(data) || !gjson.ValidBytes(data) {
		return nil, fmt.Errorf("answer is not valid JSON")
	}
	root := gjson.ParseBytes(data)
	if !root.IsObject() {
		return nil, fmt.Errorf("answer is not a JSON object")
	}
	return document{root}, nil
}

// document is a JSON value; paths are those of gjson.
type document struct{ gjson.Result }

// Text returns the text of a path; numbers keep their digits.
func (d document) Text(path string) string {
	r := d.Get(path)
	if r.Type == gjson.Number {
		return r.Raw
	}
	if r.Type == gjson.Null || r.IsObject() || r.IsArray() {
		return ""
	}
	return r.String()
}

// List returns the elements of an array.
func (d document) List(path string) []his.Document {
	var out []his.Document
	for _, r := range d.Get(path).Array() {
		out = append(out, document{r})
	}
	return out
}

// escape makes a value fit for the inside of a JSON string.
func escape(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return ""
	}
	return string(b[1 : len(b)-1])
}
