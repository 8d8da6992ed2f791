package soap

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"hospay/his"

	"github.com/antchfx/xmlquery"
)

// Bounds of an answer, checked before it is built in memory.
const (
	maxDepth = 64
	maxNodes = 150_000 // elements and attributes
)

var errXML = errors.New("answer is not proper XML")

// document is an XML node; paths are XPath.
type document struct{ *xmlquery.Node }

// parseText builds a document of XML that is already UTF-8. The prolog is cut
// off, since its encoding no longer holds.
func parseText(text string) (document, error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "<?xml") {
		i := strings.Index(text, "?>")
		if i < 0 {
			return document{}, errXML
		}
		text = text[i+2:]
	}
	if err := plain(text); err != nil {
		return document{}, err
	}
	node, err := xmlquery.Parse(strings.NewReader(text))
	if err != nil {
		return document{}, errXML
	}
	return document{node}, nil
}

// plain accepts one element without DTD, entities, processing instructions and
// deep nesting, and nothing beside it.
func plain(text string) error {
	if strings.Count(text, "<") > 2*maxNodes { // cheaper than reading it
		return errXML
	}
	d := xml.NewDecoder(strings.NewReader(text))
	depth, nodes, roots := 0, 0, 0
	for {
		tok, err := d.Token()
		if err == io.EOF && roots == 1 {
			return nil
		}
		if err != nil {
			return errXML
		}
		switch t := tok.(type) {
		case xml.StartElement:
			if depth == 0 {
				roots++
			}
			depth++
			nodes += 1 + len(t.Attr)
		case xml.EndElement:
			depth--
		case xml.CharData:
			if depth == 0 && strings.TrimSpace(string(t)) != "" {
				return errXML
			}
		case xml.Directive, xml.ProcInst:
			return errXML
		}
		if depth > maxDepth || nodes > maxNodes || roots > 1 {
			return errXML
		}
	}
}

// find returns the nodes of a path; none where the expression has no nodes.
func (d document) find(path string) (nodes []*xmlquery.Node) {
	defer func() {
		if recover() != nil { // expressions whose value is no set of nodes
			nodes = nil
		}
	}()
	nodes, err := xmlquery.QueryAll(d.Node, path)
	if err != nil {
		return nil
	}
	return nodes
}

// Text returns the text of the only node of a path; "" when there are several,
// or when it has elements inside.
func (d document) Text(path string) string {
	nodes := d.find(path)
	if len(nodes) != 1 {
		return ""
	}
	for c := nodes[0].FirstChild; c != nil; c = c.NextSibling {
		if c.Type == xmlquery.ElementNode {
			return ""
		}
	}
	return strings.TrimSpace(nodes[0].InnerText())
}

// List returns the nodes of a path. There is a list when the element that
// contains the rows is there once.
func (d document) List(path string) ([]his.Document, bool) {
	if c := container(path); c != "" && len(d.find(c)) != 1 {
		return nil, false
	}
	nodes := d.find(path)
	out := make([]his.Document, 0, len(nodes))
	for _, n := range nodes {
		if n.Type != xmlquery.ElementNode {
			return nil, false
		}
		out = append(out, document{n})
	}
	return out, true
}

// container is the path of the element that holds a list's rows; "" for the
// document itself.
func container(list string) string {
	i := strings.LastIndex(list, "/")
	if i < 0 {
		return ""
	}
	return strings.TrimRight(list[:i], "/")
}

// usable tells whether an expression compiles and can be asked for nodes.
func usable(path string) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	doc, err := xmlquery.Parse(strings.NewReader(`<a b="c"><d>e</d></a>`))
	if err != nil {
		return false
	}
	_, err = xmlquery.QueryAll(doc, path)
	return err == nil
}
