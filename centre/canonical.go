package centre

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
)

// form is how business data becomes the bytes that are signed and encrypted:
// compact JSON with sorted keys, Chinese and < > & as they are, empty members
// left out at every level.
type form struct {
	text bool // numbers and booleans become strings, as in the official demo
	fold bool // keys are sorted without regard to case, as in some ports
}

// parse reads one JSON value and nothing after it; numbers keep their digits.
func parse(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, errors.New("not JSON")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	return v, nil
}

// plain turns a struct into what parse would read of it.
func plain(v any) (any, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return parse(raw)
}

// encode writes a value; what is empty gives no bytes.
func (f form) encode(v any) []byte {
	var b bytes.Buffer
	f.write(&b, v)
	return b.Bytes()
}

// write appends a value and reports whether there was anything to write.
func (f form) write(b *bytes.Buffer, v any) bool {
	switch v := v.(type) {
	case string:
		if v == "" {
			return false
		}
		b.Write(quote(v))
	case json.Number:
		f.leaf(b, v.String())
	case bool:
		f.leaf(b, strconv.FormatBool(v))
	case map[string]any:
		return f.object(b, v)
	case []any:
		return f.array(b, v)
	default:
		return false
	}
	return true
}

func (f form) leaf(b *bytes.Buffer, s string) {
	if f.text {
		b.WriteString(`"` + s + `"`)
		return
	}
	b.WriteString(s)
}

func (f form) object(b *bytes.Buffer, m map[string]any) bool {
	start, some := b.Len(), false
	for _, k := range f.sorted(m) {
		at := b.Len()
		b.WriteByte("{,"[bit(some)])
		b.Write(quote(k))
		b.WriteByte(':')
		if !f.write(b, m[k]) {
			b.Truncate(at)
			continue
		}
		some = true
	}
	return f.end(b, start, some, '}')
}

// array keeps the order; members are treated one by one.
func (f form) array(b *bytes.Buffer, list []any) bool {
	start, some := b.Len(), false
	for _, v := range list {
		at := b.Len()
		b.WriteByte("[,"[bit(some)])
		if !f.write(b, v) {
			b.Truncate(at)
			continue
		}
		some = true
	}
	return f.end(b, start, some, ']')
}

// end closes what has members, and takes back what has none.
func (f form) end(b *bytes.Buffer, start int, some bool, with byte) bool {
	if !some {
		b.Truncate(start)
		return false
	}
	b.WriteByte(with)
	return true
}

func bit(v bool) int {
	if v {
		return 1
	}
	return 0
}

func (f form) sorted(m map[string]any) []string {
	names := make([]string, 0, len(m))
	for k := range m {
		names = append(names, k)
	}
	slices.SortFunc(names, func(a, b string) int {
		if f.fold {
			if c := cmp.Compare(strings.ToLower(a), strings.ToLower(b)); c != 0 {
				return c
			}
		}
		return cmp.Compare(a, b)
	})
	return names
}

// signText is the text that is signed: k=v joined with &, then the secret.
// Nothing of signData, encData and extra is in it.
func (f form) signText(envelope map[string]any, secret string) []byte {
	var b bytes.Buffer
	for _, k := range f.sorted(envelope) {
		if k == "signData" || k == "encData" || k == "extra" {
			continue
		}
		v := form{false, f.fold}.encode(envelope[k])
		switch x := envelope[k].(type) {
		case string:
			v = []byte(x)
		case map[string]any, []any:
			v = f.encode(x)
		}
		if len(v) > 0 {
			b.WriteString(k + "=")
			b.Write(v)
			b.WriteByte('&')
		}
	}
	b.WriteString("key=" + secret)
	return b.Bytes()
}

// quote writes a JSON string as Java libraries do: nothing is escaped that
// need not be.
func quote(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(strings.ToValidUTF8(s, "?")) != nil {
		return nil
	}
	out := bytes.TrimRight(b.Bytes(), "\n")
	return []byte(lineEnds.Replace(string(out)))
}

// lineEnds are the two characters that Go escapes and others do not.
var lineEnds = strings.NewReplacer(`\\`, `\\`, `\u2028`, "\u2028", `\u2029`, "\u2029")
