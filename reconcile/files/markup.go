package files

import (
	"bufio"
	"errors"
	"html"
	"io"
	"strings"
)

// errMarkup says that a workbook's XML cannot be read.
var errMarkup = errors.New("markup is broken")

const (
	maxMarkup = 1 << 20 // of one tag or one text
	maxPieces = 1000    // that one tag, or the text before it, is put together from
)

// markup reads the XML that programs write into workbooks: tags and the text
// between them, in one pass and without building anything.
type markup struct {
	in   *bufio.Reader
	name string // of the tag, without its prefix
	end  bool   // it closes an element
	self bool   // it opens and closes one
	tag  string // as it stands, for its attributes
	text string // before the tag
}

func newMarkup(in io.Reader) *markup { return &markup{in: bufio.NewReaderSize(in, 64<<10)} }

// next reads up to the end of the next tag. Comments and declarations are
// skipped; what is CDATA is text.
func (m *markup) next() error {
	m.text = ""
	for pieces := 0; ; {
		text, err := m.until('<')
		if err != nil {
			if err == io.EOF && strings.TrimSpace(text) != "" {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		m.text += unescape(text)
		tag, err := m.until('>')
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		for open, shut := "", ""; ; {
			if pieces++; pieces > maxPieces || len(m.text) > maxMarkup {
				return errMarkup
			}
			switch {
			case strings.HasPrefix(tag, "!--"):
				open, shut = "!--", "--"
			case strings.HasPrefix(tag, "![CDATA["):
				open, shut = "![CDATA[", "]]"
			default:
				if inQuotes(tag) { // > stood in an attribute
					more, err := m.until('>')
					if err != nil || len(tag) > maxMarkup {
						return errMarkup
					}
					tag += ">" + more
					continue
				}
			}
			if shut != "" && (len(tag) < len(open)+len(shut) || !strings.HasSuffix(tag, shut)) {
				more, err := m.until('>')
				if err != nil || len(tag) > maxMarkup {
					return errMarkup
				}
				tag += ">" + more
				continue
			}
			if shut == "]]" {
				m.text += tag[len(open) : len(tag)-len(shut)]
			}
			break
		}
		if tag == "" || tag[0] == '!' || tag[0] == '?' {
			continue
		}
		m.end, m.self = tag[0] == '/', tag[len(tag)-1] == '/'
		m.tag = strings.Trim(tag, "/")
		m.name, _, _ = strings.Cut(strings.Map(blanks, m.tag), " ")
		if i := strings.IndexByte(m.name, ':'); i >= 0 {
			m.name = m.name[i+1:]
		}
		return nil
	}
}

func blanks(r rune) rune {
	if r == '\t' || r == '\r' || r == '\n' {
		return ' '
	}
	return r
}

// inQuotes reports whether a tag ends within a quoted attribute.
func inQuotes(tag string) bool {
	if strings.IndexByte(tag, '"') < 0 && strings.IndexByte(tag, '\'') < 0 {
		return false
	}
	quote := byte(0)
	for i := range len(tag) {
		switch c := tag[i]; {
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case c == quote:
			quote = 0
		}
	}
	return quote != 0
}

// attr returns an attribute of the tag by its name without prefix.
func (m *markup) attr(name string) (string, bool) {
	for rest := m.tag; ; {
		i := strings.Index(rest, name+"=")
		if i < 0 {
			return "", false
		}
		good := i > 0 && strings.IndexByte(" \t\r\n:", rest[i-1]) >= 0
		rest = rest[i+len(name)+1:]
		if rest == "" {
			return "", false
		}
		if good && (rest[0] == '"' || rest[0] == '\'') {
			value, _, ok := strings.Cut(rest[1:], rest[:1])
			return unescape(value), ok
		}
	}
}

// until reads to a delimiter, which is left out.
func (m *markup) until(delim byte) (string, error) {
	raw, err := m.in.ReadSlice(delim)
	if err == nil {
		return string(raw[:len(raw)-1]), nil
	}
	all := append([]byte(nil), raw...)
	for err == bufio.ErrBufferFull {
		if len(all) > maxMarkup {
			return "", errMarkup
		}
		raw, err = m.in.ReadSlice(delim)
		all = append(all, raw...)
	}
	if err != nil {
		return string(all), err
	}
	return string(all[:len(all)-1]), nil
}

func unescape(s string) string {
	if strings.IndexByte(s, '&') < 0 {
		return s
	}
	return html.UnescapeString(s)
}
