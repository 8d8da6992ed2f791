// Package soap speaks to a HIS that takes one string and returns one string
// over SOAP 1.1, with XML inside, in UTF-8 or GBK. Where the fields are and
// what the codes mean is the mapping's business.
package soap

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"hospay/his"
)

type adapter struct {
	client  *his.Client
	mapping his.Mapping
	secrets map[string]string
	charset his.Charset
}

// New returns a HIS over SOAP.
func New(cfg his.Config) (his.HIS, error) {
	m, err := his.ParseMapping(cfg.Mapping)
	if err != nil {
		return nil, err
	}
	charset, err := his.ParseCharset(m.Charset)
	if err != nil {
		return nil, err
	}
	a := &adapter{mapping: m, secrets: cfg.Secrets, charset: charset}
	if err := a.check(cfg); err != nil {
		return nil, err
	}
	if a.client, err = his.NewClient(cfg); err != nil {
		return nil, err
	}
	return his.NewEngine(cfg, m, a.exchange), nil
}

// check makes sure that the envelope, the templates and the paths are usable.
func (a *adapter) check(cfg his.Config) error {
	m := a.mapping
	if m.Result == "" || strings.Count(m.Envelope, "{body}") != 1 {
		return errors.New("HIS 映射缺少 envelope（其中要有一个 {body}）或 result（SOAP 的外层报文和内层文本的位置）")
	}
	if m.Escape != "" && m.Escape != "cdata" && m.Escape != "xml" {
		return errors.New("HIS 映射的 escape 应为 cdata 或 xml")
	}
	for _, op := range m.Operations {
		if strings.Contains(op.Body+m.Envelope, "<![CDATA[") { // values inside could not be escaped
			return errors.New("HIS 映射的 envelope 和请求模板里请不要写 CDATA：由设置 escape 决定，内容会自动转义")
		}
	}
	if err := his.CheckPlaces(m.Envelope, []string{"body", "charset", "namespace", "action", "now"}, cfg.Secrets); err != nil {
		return fmt.Errorf("HIS 映射的 envelope：%w", err)
	}
	if err := valid(a.envelope("<a/>", a.samples())); err != nil {
		return fmt.Errorf("HIS 映射的 envelope：%w", err)
	}
	if err := his.CheckTemplates(cfg, m, fill, valid); err != nil {
		return err
	}
	return checkPaths(m)
}

func (a *adapter) samples() map[string]string {
	values := map[string]string{"now": "x"}
	for k := range a.secrets {
		values["secret."+k] = "x"
	}
	return values
}

// valid refuses text that is not one XML element.
func valid(text string) error {
	if _, err := parseText(text); err != nil {
		return errors.New("不是有效的 XML")
	}
	return nil
}

// checkPaths refuses XPath expressions that do not compile.
func checkPaths(m his.Mapping) error {
	paths := []string{m.Result, m.Code, m.Message}
	for _, op := range m.Operations {
		paths = append(paths, op.List, container(op.List), op.Total)
		paths = slices.AppendSeq(paths, maps.Values(op.Fields))
		paths = slices.AppendSeq(paths, maps.Values(op.Echo))
		paths = slices.AppendSeq(paths, maps.Keys(op.Flags))
		for _, rows := range op.Lists {
			paths = append(paths, rows.List, container(rows.List))
			paths = slices.AppendSeq(paths, maps.Values(rows.Fields))
		}
	}
	for _, p := range paths {
		if p != "" && !usable(p) {
			return fmt.Errorf("HIS 映射中的路径 %q 无效", p)
		}
	}
	return nil
}

func (a *adapter) exchange(ctx context.Context, op his.Operation, values map[string]string) (his.Document, error) {
	inner := fill(op.Body, values)
	if _, err := parseText(inner); err != nil {
		return nil, errors.New("request template does not make proper XML")
	}
	body, err := a.charset.Encode(a.envelope(inner, values))
	if err != nil {
		return nil, err
	}
	h := a.mapping.Header(a.secrets, values["now"], body)
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "text/xml; charset="+a.charset.Name())
	}
	h.Set("SOAPAction", `"`+a.mapping.Action+`"`)
	ctype, data, err := a.client.Post(ctx, op, h, body)
	if err != nil {
		return nil, err
	}
	outer, err := a.parse(op, data, ctype)
	if err != nil {
		return nil, err
	}
	text := outer.Text(a.mapping.Result)
	if text == "" {
		return nil, errors.New("answer has no result text, or more than one")
	}
	return parseText(text)
}

// envelope puts the inner XML into the outer one.
func (a *adapter) envelope(inner string, values map[string]string) string {
	if a.mapping.Escape == "xml" {
		inner = escape(inner)
	} else {
		inner = "<![CDATA[" + strings.ReplaceAll(inner, "]]>", "]]]]><![CDATA[>") + "]]>"
	}
	all := map[string]string{
		"charset": a.charset.Name(), "namespace": escape(a.mapping.Namespace), "action": escape(a.mapping.Action), "now": escape(values["now"]),
		"body": inner,
	}
	for k := range a.secrets {
		all["secret."+k] = escape(values["secret."+k])
	}
	return his.Fill(a.mapping.Envelope, all, func(s string) string { return s })
}

var prolog = regexp.MustCompile(`^\s*<\?xml[^>]*encoding\s*=\s*["']([A-Za-z0-9_-]+)["'][^>]*\?>`)

// parse decodes an answer and reads it.
func (a *adapter) parse(op his.Operation, data []byte, ctype string) (document, error) {
	itself := ""
	head := bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if m := prolog.FindSubmatch(head[:min(len(head), 200)]); m != nil {
		itself = string(m[1])
	}
	text, err := a.charset.DecodeAnswer(data, itself, ctype, op)
	if err != nil {
		return document{}, err
	}
	return parseText(text)
}

func fill(template string, values map[string]string) string {
	return his.Fill(template, values, escape)
}

// escape makes a value fit for element text and quoted attributes.
func escape(s string) string {
	var b bytes.Buffer
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		return ""
	}
	return b.String()
}
