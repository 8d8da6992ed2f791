package his

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// Charset is the encoding of requests and answers; the zero value is UTF-8.
type Charset struct {
	name string
	enc  encoding.Encoding
	dec  encoding.Encoding
}

var errCharset = errors.New("his: answer is not in the declared charset")

// ParseCharset finds a charset by its name. Answers in GBK and GB2312 are read
// as GB18030, of which they are a part: rare characters of names come that way.
func ParseCharset(name string) (Charset, error) {
	name = strings.ToUpper(strings.TrimSpace(name))
	switch name {
	case "", "UTF-8", "UTF8":
		return Charset{name: "UTF-8"}, nil
	case "GBK", "GB2312":
		return Charset{name, simplifiedchinese.GBK, simplifiedchinese.GB18030}, nil
	case "GB18030":
		return Charset{name, simplifiedchinese.GB18030, simplifiedchinese.GB18030}, nil
	}
	return Charset{}, fmt.Errorf("不支持的字符集 %.20q", name)
}

// Name is the charset's name for headers and prologs.
func (c Charset) Name() string { return c.name }

// Encode turns text into bytes and fails on a character that the charset lacks,
// rather than sending a mangled name.
func (c Charset) Encode(text string) ([]byte, error) {
	if c.enc == nil {
		return []byte(text), nil
	}
	out, err := c.enc.NewEncoder().Bytes([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("his: request has characters outside %s", c.name)
	}
	return out, nil
}

// Decode turns bytes into text without a byte order mark and fails on bytes
// that are not of the charset.
func (c Charset) Decode(data []byte) (string, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if c.dec == nil {
		if !utf8.Valid(data) {
			return "", errCharset
		}
		return string(data), nil
	}
	out, err := c.dec.NewDecoder().Bytes(data)
	if err != nil || bytes.ContainsRune(out, utf8.RuneError) { // the decoder replaces what it cannot read
		return "", errCharset
	}
	return string(out), nil
}
