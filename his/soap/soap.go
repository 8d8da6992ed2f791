// Package soap speaks to a HIS that takes one string and returns one string
// over SOAP 1.1, with XML inside, in UTF-8 or GBK. Where the fields are and
// what the codes mean is the mapping's business.
package soap

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"unicode/utf8"

	"hospay/his"
	"hospay/refund"

	"github.com/antchfx/xmlquery"
	"github.com/antchfx/xpath"
	"golang.org/x/text/encoding"
)

// maxDepth bounds nesting before a document is built in memory.
const maxDepth = 64

type adapter struct {
	client  *his.Client
	mapping his.Mapping
	secrets map[string]string
	charset encoding.Encoding
	name    string
}

// New returns a HIS over SOAP.
func New(cfg his.Config) (refund.HIS, error) {
	m, err := his.ParseMapping(cfg.Mapping)
	if err != nil {
		return nil, err
	}
	if m.Result == "" || m.Envelope == "" {
		return nil, fmt.Errorf("HIS 映射缺少 envelope 或 result（SOAP 的外层报文和内层文本的位置）")
	}
	if err := checkPaths(m); err != nil {
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
	a := &adapter{client: client, mapping: m, secrets: cfg.Secrets, charset: charset, name: strings.ToUpper(m.Charset)}
	return &his.Engine{Mapping: m, Exchange: a.exchange}, nil
}

// checkPaths refuses XPath expressions that do not compile.
func checkPaths(m his.Mapping) error {
	paths := []string{m.Result, m.Code, m.Message}
	for _, op := range m.Operations {
		paths = append(paths, op.List)
		for _, p := range op.Fields {
			paths = append(paths, p)
		}
	}
	for _, p := range paths {
		if p == "" {
			continue
		}
		if _, err := xpath.Compile(p); err != nil {
			return fmt.Errorf("HIS 映射中的路径 %q 无效", p)
		}
	}
	return nil
}

func (a *adapter) exchange(ctx context.Context, op his.Operation, values map[string]string) (his.Document, error) {
	for k, v := range a.secrets {
		values["secret."+k] = v
	}
	body := []byte(a.envelope(his.Fill(op.Body, values, escape)))
	if a.charset != nil {
		encoded, err := a.charset.NewEncoder().Bytes(body)
		if err != nil {
			return nil, fmt.Errorf("request has characters outside %s", a.name)
		}
		body = encoded
	}
	h := http.Header{"Content-Type": {"text/xml; charset=" + a.name}, "SOAPAction": {`"` + a.mapping.Action + `"`}}
	for k, v := range a.mapping.Headers {
		h.Set(k, v)
	}
	status, ctype, data, err := a.client.Post(ctx, op.Path, h, body)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("HTTP %d", status)
	}
	outer, err := a.parse(data, ctype)
	if err != nil {
		return nil, err
	}
	return a.inner(outer)
}

// envelope puts the inner XML into the outer one.
func (a *adapter) envelope(inner string) string {
	if a.mapping.Escape == "xml" {
		inner = escape(inner)
	} else {
		inner = "<![CDATA[" + strings.ReplaceAll(inner, "]]>", "]]]]><![CDATA[>") + "]]>"
	}
	return strings.NewReplacer("{charset}", a.name, "{body}", inner).Replace(a.mapping.Envelope)
}

// inner parses the string that the method returned.
func (a *adapter) inner(outer his.Document) (his.Document, error) {
	text := outer.Text(a.mapping.Result)
	if text == "" {
		return nil, fmt.Errorf("answer has no %s", a.mapping.Result)
	}
	return parseText(text)
}

var prolog = regexp.MustCompile(`^\s*<\?xml[^>]*encoding=["']([A-Za-z0-9_-]+)["'][^>]*\?>`)

// parse decodes an answer by its prolog, its content type or the mapping.
func (a *adapter) parse(data []byte, ctype string) (his.Document, error) {
	charset := a.charset
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if m := prolog.FindSubmatch(data[:min(len(data), 200)]); m != nil {
		declared, err := his.Charset(string(m[1]))
		if err != nil {
			return nil, err
		}
		charset = declared
	} else if _, after, ok := strings.Cut(strings.ToLower(ctype), "charset="); ok {
		if declared, err := his.Charset(strings.Trim(after, `"' ;`)); err == nil {
			charset = declared
		}
	}
	if charset != nil {
		decoded, err := charset.NewDecoder().Bytes(data)
		if err != nil {
			return nil, err
		}
		data = decoded
	}
	return parseText(string(data))
}

// parseText builds a document of XML that is already UTF-8. The prolog is cut
// off, since its encoding no longer holds.
func parseText(text string) (his.Document, error) {
	if !utf8.ValidString(text) {
		return nil, fmt.Errorf("answer is not in the declared charset")
	}
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "<?xml") {
		if i := strings.Index(text, "?>"); i > 0 {
			text = text[i+2:]
		}
	}
	if err := shallow(text); err != nil {
		return nil, err
	}
	node, err := xmlquery.Parse(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("answer is not valid XML")
	}
	return document{node}, nil
}

// shallow refuses DTDs, entities and deep nesting before memory is spent.
func shallow(text string) error {
	d := xml.NewDecoder(strings.NewReader(text))
	depth := 0
	for {
		tok, err := d.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("answer is not valid XML")
		}
		switch tok.(type) {
		case xml.StartElement:
			if depth++; depth > maxDepth {
				return fmt.Errorf("answer is nested too deeply")
			}
		case xml.EndElement:
			depth--
		case xml.Directive:
			return fmt.Errorf("answer has a document type")
		}
	}
}

// document is an XML node; paths are XPath.
type document struct{ *xmlquery.Node }

// Text returns the text of the first node of a path.
func (d document) Text(path string) string {
	n, err := xmlquery.Query(d.Node, path)
	if err != nil || n == nil {
		return ""
	}
	return strings.TrimSpace(n.InnerText())
}

// List returns the nodes of a path.
func (d document) List(path string) []his.Document {
	nodes, err := xmlquery.QueryAll(d.Node, path)
	if err != nil {
		return nil
	}
	out := make([]his.Document, 0, len(nodes))
	for _, n := range nodes {
		out = append(out, document{n})
	}
	return out
}

func escape(s string) string {
	var b bytes.Buffer
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		return ""
	}
	return b.String()
}
