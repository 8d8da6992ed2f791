package e2e

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// finder looks for values in everything that bytes may be: as they are, in
// UTF-16, GBK, hex, base64, escaped for JSON and for addresses.
type finder struct {
	first [1 << 16]bool
	forms map[[6]byte][]form
}

type form struct {
	bytes []byte
	what  string
}

func newFinder(values map[string]string) *finder {
	f := &finder{forms: map[[6]byte][]form{}}
	for what, value := range values {
		for how, b := range formsOf(value) {
			if len(b) < 6 {
				continue
			}
			f.first[binary.BigEndian.Uint16(b)] = true
			f.forms[[6]byte(b)] = append(f.forms[[6]byte(b)], form{b, what + how})
		}
	}
	return f
}

// formsOf are the ways in which a value may be written.
func formsOf(value string) map[string][]byte {
	raw := []byte(value)
	out := map[string][]byte{"": raw, " in hex": []byte(hex.EncodeToString(raw)), " in HEX": bytes.ToUpper([]byte(hex.EncodeToString(raw)))}
	units := utf16.Encode([]rune(value))
	little, big, escaped := []byte{}, []byte{}, ""
	for _, u := range units {
		little, big = binary.LittleEndian.AppendUint16(little, u), binary.BigEndian.AppendUint16(big, u)
		if u < 128 {
			escaped += string(rune(u))
		} else {
			escaped += fmt.Sprintf(`\u%04x`, u)
		}
	}
	out[" in UTF-16LE"], out[" in UTF-16BE"], out[" escaped"] = little, big, []byte(escaped)
	out[" in an address"] = []byte(url.QueryEscape(value))
	if gbk, err := simplifiedchinese.GB18030.NewEncoder().Bytes(raw); err == nil {
		out[" in GBK"] = gbk
	}
	for skip := range 3 { // a value begins at any of three places in base64
		text := base64.RawStdEncoding.EncodeToString(append(make([]byte, skip), raw...))
		text = text[(skip*8+5)/6:]
		if part := (skip + len(raw)) % 3; part != 0 {
			text = text[:len(text)-1]
		}
		if len(text) >= 8 {
			out[fmt.Sprint(" in base64 ", skip)] = []byte(text)
		}
	}
	return out
}

// in returns what is found in bytes.
func (f *finder) in(data []byte) []string {
	var out []string
	for i := 0; i+6 <= len(data); i++ {
		if !f.first[binary.BigEndian.Uint16(data[i:])] {
			continue
		}
		for _, p := range f.forms[[6]byte(data[i:i+6])] {
			if bytes.HasPrefix(data[i:], p.bytes) && !slices.Contains(out, p.what) {
				out = append(out, p.what)
			}
		}
	}
	return out
}

var (
	encoded = regexp.MustCompile(`[A-Za-z0-9+/_-]{24,}={0,2}`)
	streams = regexp.MustCompile(`(?s)stream\r?\n(.+?)endstream`)
)

// unpacked calls see with bytes and all that lies packed in them, however deep.
func unpacked(name string, data []byte, depth int, see func(name string, data []byte)) {
	see(name, data)
	if depth == 0 {
		return
	}
	deeper := func(how string, r io.Reader, err error) {
		if err == nil {
			if inner, _ := io.ReadAll(io.LimitReader(r, 64<<20)); len(inner) > 0 {
				unpacked(name+how, inner, depth-1, see)
			}
		}
	}
	switch {
	case bytes.HasPrefix(data, []byte{0x1f, 0x8b}):
		r, err := gzip.NewReader(bytes.NewReader(data))
		deeper(">gzip", r, err)
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		if z, err := zip.NewReader(bytes.NewReader(data), int64(len(data))); err == nil {
			for _, f := range z.File {
				r, err := f.Open()
				deeper(">"+f.Name, r, err)
			}
		}
	case bytes.HasPrefix(data, []byte("%PDF")):
		for _, m := range streams.FindAllSubmatch(data, -1) {
			r, err := zlib.NewReader(bytes.NewReader(m[1]))
			deeper(">stream", r, err)
		}
	case len(data) < 4<<20:
		for _, token := range encoded.FindAll(data, -1) {
			for _, inner := range decoded(token) {
				if bytes.HasPrefix(inner, []byte{0x1f, 0x8b}) || bytes.HasPrefix(inner, []byte("PK\x03\x04")) ||
					bytes.HasPrefix(inner, []byte("%PDF")) {
					unpacked(name+">encoded", inner, depth-1, see)
				}
			}
		}
	}
}

// decoded reads a text as base64 of both kinds and as hex.
func decoded(token []byte) (out [][]byte) {
	plain := strings.TrimRight(string(token), "=")
	for _, decode := range []func(string) ([]byte, error){base64.RawStdEncoding.DecodeString, base64.RawURLEncoding.DecodeString,
		hex.DecodeString} {
		if b, err := decode(plain); err == nil {
			out = append(out, b)
		}
	}
	return out
}

// TestCanary_FinderFindsThemHoweverTheyAreWritten: what finds nothing proves
// nothing unless it finds what is there.
func TestCanary_FinderFindsThemHoweverTheyAreWritten(t *testing.T) {
	values := map[string]string{"name": "欧阳文博", "number": "110101199001011237", "token": "eyJhbGciOiJIUzI1NiJ9.e30.abc"}
	f := newFinder(values)
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	w := must(z.Create("a/b.xml"))
	gz := gzip.NewWriter(w)
	_, _ = gz.Write([]byte("<c>" + values["name"] + "</c>"))
	_ = gz.Close()
	_ = z.Close()
	var pdf bytes.Buffer
	pdf.WriteString("%PDF-1.4\n1 0 obj <</Filter /FlateDecode>>\nstream\n")
	zw := zlib.NewWriter(&pdf)
	_, _ = zw.Write([]byte("(" + values["number"] + ") Tj"))
	_ = zw.Close()
	pdf.WriteString("\nendstream")
	hidden := map[string][]byte{
		"zip": packed.Bytes(), "pdf": pdf.Bytes(), "base64 of a zip": []byte(`{"f":"` + base64.StdEncoding.EncodeToString(packed.Bytes()) + `"}`),
		"hex of a pdf": []byte(hex.EncodeToString(pdf.Bytes())),
	}
	for what, value := range values {
		for how, b := range formsOf(value) {
			hidden[what+how] = slices.Concat([]byte("..x"), b, []byte("y.."))
		}
		for pad := range 3 {
			text := strings.Repeat("-", pad) + value + "tail"
			hidden[fmt.Sprint(what, " base64 ", pad)] = []byte(base64.StdEncoding.EncodeToString([]byte(text)))
		}
	}
	for name, data := range hidden {
		var found []string
		unpacked(name, data, 4, func(_ string, b []byte) { found = append(found, f.in(b)...) })
		if len(found) == 0 {
			t.Errorf("%s is not found", name)
		}
	}
	unpacked("nothing", bytes.Repeat([]byte("欧阳博文 110101199001011238 "), 1000), 4, func(_ string, b []byte) {
		if got := f.in(b); len(got) > 0 {
			t.Errorf("found %v where nothing is", got)
		}
	})
}
