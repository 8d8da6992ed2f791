package sim

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"unicode/utf16"
)

// PDF draws lines of Chinese text on one A4 page. It names a standard CID font
// and embeds none, so the file stays below 2 KB.
func PDF(lines []string) []byte {
	var text bytes.Buffer
	text.WriteString("BT /F1 14 Tf 60 780 Td 24 TL\n")
	for _, l := range lines {
		fmt.Fprintf(&text, "<%s> Tj T*\n", utf16Hex(l))
	}
	text.WriteString("ET")
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> >> /Contents 4 0 R >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", text.Len(), text.String()),
		"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts [6 0 R] >>",
		"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement " +
			"4 >> /DW " +
			"1000 /FontDescriptor 7 0 R >>",
		"<< /Type /FontDescriptor /FontName /STSong-Light /Flags 4 /FontBBox [-25 -254 1000 880] /ItalicAngle 0 /Ascent 880 /Descent -120 " +
			"/CapHeight 880 /StemV 93 >>",
	}
	return assemble(objects)
}

func assemble(objects []string) []byte {
	var out bytes.Buffer
	out.WriteString("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
	offsets := make([]int, len(objects))
	for i, o := range objects {
		offsets[i] = out.Len()
		fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := out.Len()
	fmt.Fprintf(&out, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, o := range offsets {
		fmt.Fprintf(&out, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&out, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, start)
	return out.Bytes()
}

func utf16Hex(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u>>8), byte(u))
	}
	return hex.EncodeToString(b)
}

// Token returns n random bytes in hex.
func Token(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// Yuan writes fen as yuan with two decimals.
func Yuan(fen int64) string {
	sign := ""
	if fen < 0 {
		sign, fen = "-", -fen
	}
	return fmt.Sprintf("%s%d.%02d", sign, fen/100, fen%100)
}

// Fen reads yuan text with at most two decimals; ok is false for anything else.
func Fen(yuan string) (fen int64, ok bool) {
	digits, frac := 0, -1
	for _, r := range yuan {
		switch {
		case r == '.' && frac < 0 && digits > 0:
			frac = 0
		case r >= '0' && r <= '9' && frac < 2 && digits < 16:
			fen = fen*10 + int64(r-'0')
			digits++
			if frac >= 0 {
				frac++
			}
		default:
			return 0, false
		}
	}
	for i := max(frac, 0); i < 2; i++ {
		fen *= 10
	}
	return fen, digits > 0 && frac != 0
}
