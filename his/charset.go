package his

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"mime"
	"strings"
	"unicode/utf8"

	"hospay/internal/foreign"
)

// Charset is the encoding of requests and answers; the zero value is UTF-8.
type Charset struct {
	name string // empty: nobody has named one
	gb   bool
}

var errCharset = errors.New("his: answer is not in the declared charset")

// ParseCharset finds a charset by its name. Answers in GBK and GB2312 are read
// as GB18030, of which they are a part: rare characters of names come that way.
func ParseCharset(name string) (Charset, error) {
	name = strings.ToUpper(strings.TrimSpace(name))
	switch name {
	case "":
		return Charset{}, nil
	case "UTF-8", "UTF8":
		return Charset{name: "UTF-8"}, nil
	case "GBK", "GB2312", "GB18030":
		return Charset{name, true}, nil
	}
	return Charset{}, fmt.Errorf("不支持的字符集 %.20q", name)
}

// Name is the charset's name for headers and prologs.
func (c Charset) Name() string { return cmp.Or(c.name, "UTF-8") }

// Encode turns text into bytes and fails on a character that the charset lacks,
// rather than sending a mangled name.
func (c Charset) Encode(text string) ([]byte, error) {
	if !c.gb {
		return []byte(text), nil
	}
	out, ok := foreign.EncodeGB(text, c.name != "GB18030")
	if !ok {
		return nil, fmt.Errorf("his: request has characters outside %s", c.name)
	}
	return out, nil
}

// DecodeAnswer turns an answer into text without a byte order mark. The charset
// is the one that the text names itself, else the mapping's, else the one of the
// Content-Type, which servers often set without looking at what they send.
// Bytes that are no character fail, but in records: there they become U+FFFD
// and spoil their own field only.
func (c Charset) DecodeAnswer(data []byte, itself, contentType string, op Operation) (string, error) {
	if itself != "" {
		said, err := ParseCharset(itself)
		if err != nil {
			return "", err
		}
		return said.decode(data, op.Records())
	}
	text, err := c.decode(data, false)
	if err == nil && c.name != "" {
		return text, nil
	}
	if _, params, bad := mime.ParseMediaType(contentType); bad == nil && params["charset"] != "" {
		if said, bad := ParseCharset(params["charset"]); bad == nil {
			if text, err := said.decode(data, false); err == nil {
				return text, nil
			}
		}
	}
	return c.decode(data, op.Records())
}

// decode reads bytes of the charset. UTF-8 is never mended: what is not UTF-8
// is another charset, or no text.
func (c Charset) decode(data []byte, mend bool) (string, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !c.gb {
		if !utf8.Valid(data) {
			return "", errCharset
		}
		return string(data), nil
	}
	text, whole := foreign.DecodeGB(data)
	if !whole && !mend {
		return "", errCharset
	}
	return text, nil
}
