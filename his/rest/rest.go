// Package rest speaks to a HIS that offers JSON over HTTP. Where the fields
// are and what the codes mean is the mapping's business.
package rest

import (
	"context"
	"encoding/json"
	"encoding/json/jsontext"
	"errors"
	"io"
	"strings"

	"hospay/his"

	"github.com/tidwall/gjson"
)

// maxDepth bounds the nesting of an answer.
const maxDepth = 64

var errJSON = errors.New("answer is not one proper JSON object")

// adapter is the exchange of one configuration.
type adapter struct {
	client  *his.Client
	mapping his.Mapping
	secrets map[string]string
	charset his.Charset
}

// New returns a HIS over JSON.
func New(cfg his.Config) (his.HIS, error) {
	m, err := his.ParseMapping(cfg.Mapping)
	if err != nil {
		return nil, err
	}
	charset, err := his.ParseCharset(m.Charset)
	if err != nil {
		return nil, err
	}
	if err := his.CheckTemplates(cfg, m, fill, valid); err != nil {
		return nil, err
	}
	client, err := his.NewClient(cfg)
	if err != nil {
		return nil, err
	}
	a := &adapter{client: client, mapping: m, secrets: cfg.Secrets, charset: charset}
	return his.NewEngine(cfg, m, a.exchange), nil
}

// valid refuses text that is not one JSON object.
func valid(body string) error {
	if _, err := parse(body); err != nil {
		return errors.New("不是有效的 JSON 对象")
	}
	return nil
}

func (a *adapter) exchange(ctx context.Context, op his.Operation, values map[string]string) (his.Document, error) {
	text := fill(op.Body, values)
	if _, err := parse(text); err != nil {
		return nil, errors.New("request template does not make proper JSON")
	}
	body, err := a.charset.Encode(text)
	if err != nil {
		return nil, err
	}
	h := a.mapping.Header(a.secrets, values["now"], body)
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json; charset="+strings.ToLower(a.charset.Name()))
	}
	h.Set("Accept", "application/json")
	ctype, data, err := a.client.Post(ctx, op, h, body)
	if err != nil {
		return nil, err
	}
	answer, err := a.charset.DecodeAnswer(data, "", ctype, op)
	if err != nil {
		return nil, err
	}
	return parse(answer)
}

// parse accepts exactly one JSON object without duplicate names, which readers
// understand differently, and without deep nesting.
func parse(text string) (his.Document, error) {
	dec := jsontext.NewDecoder(strings.NewReader(text))
	if dec.PeekKind() != jsontext.KindBeginObject {
		return nil, errJSON
	}
	for roots := 0; ; {
		_, err := dec.ReadToken()
		if errors.Is(err, io.EOF) && roots == 1 {
			break
		}
		if err != nil || roots == 1 || dec.StackDepth() > maxDepth {
			return nil, errJSON
		}
		if dec.StackDepth() == 0 {
			roots++
		}
	}
	return document{gjson.Parse(text)}, nil
}

// document is a JSON value; paths are those of gjson.
type document struct{ gjson.Result }

// Text returns the text of a path; numbers keep their digits.
func (d document) Text(path string) string {
	r := d.Get(path)
	switch r.Type {
	case gjson.Number:
		return r.Raw
	case gjson.String:
		return strings.TrimSpace(r.String()) // columns of fixed width are padded
	case gjson.True, gjson.False:
		return r.String()
	}
	return ""
}

// List returns the objects of an array. What turns XML into JSON writes one row
// as an object, and none as an empty text, its own or its parent's; null is none,
// too.
func (d document) List(path string) ([]his.Document, bool) {
	r := d.Get(path)
	if i := strings.LastIndexByte(path, '.'); !r.Exists() && i > 0 {
		if parent := d.Get(path[:i]); parent.Type == gjson.String {
			r = parent
		}
	}
	switch {
	case !r.Exists():
		return nil, false
	case r.Type == gjson.Null, r.Type == gjson.String && strings.TrimSpace(r.Str) == "":
		return nil, true
	case r.IsObject() && len(r.Map()) > 0:
		return []his.Document{document{r}}, true
	case !r.IsArray():
		return nil, false
	}
	var out []his.Document
	for _, row := range r.Array() {
		if !row.IsObject() {
			return nil, false
		}
		out = append(out, document{row})
	}
	return out, true
}

func fill(template string, values map[string]string) string {
	return his.FillJSON(template, values, escape)
}

// escape makes a value fit for the inside of a JSON string.
func escape(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return ""
	}
	return string(b[1 : len(b)-1])
}
