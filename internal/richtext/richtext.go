// Package richtext keeps the text of notices harmless: an allow-list of tags
// without any attribute. What is not on the list goes, its text stays; scripts,
// styles and the like go with their content.
package richtext

import (
	"io"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Allowed lists the tags that stay.
func Allowed() []string {
	return []string{"p", "br", "b", "strong", "i", "em", "u", "ul", "ol", "li", "table", "tr", "td", "th", "h3", "h4"}
}

// emptied are elements whose content is no text for readers.
var emptied = []atom.Atom{
	atom.Script, atom.Style, atom.Iframe, atom.Object, atom.Embed, atom.Template, atom.Noscript, atom.Svg, atom.Math, atom.Head, atom.Title,
	atom.Textarea, atom.Select, atom.Xmp, atom.Noembed, atom.Noframes, atom.Plaintext,
}

// Sanitize returns the text with the allowed tags alone, balanced. Text is
// escaped anew, so that what a parser took for text stays text.
func Sanitize(text string) string {
	var b strings.Builder
	var open []string // allowed tags that are open
	z := html.NewTokenizer(strings.NewReader(text))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if z.Err() != io.EOF {
				return "" // not readable: nothing is safe
			}
			closeTo(&b, &open, 0)
			return b.String()
		case html.TextToken:
			b.WriteString(html.EscapeString(string(z.Text()))) // Text has unescaped it
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			if slices.Contains(emptied, t.DataAtom) && t.Type == html.StartTagToken {
				skip(z, t.Data)
				continue
			}
			start(&b, &open, t.Data)
		case html.EndTagToken:
			t := z.Token()
			if at := slices.Index(open, t.Data); at >= 0 {
				closeTo(&b, &open, len(open)-1-slices.Index(reversed(open), t.Data))
			}
		}
	}
}

func start(b *strings.Builder, open *[]string, tag string) {
	if !slices.Contains(Allowed(), tag) {
		return
	}
	b.WriteString("<" + tag + ">")
	if tag != "br" {
		*open = append(*open, tag)
	}
}

// closeTo closes the innermost tags down to index at.
func closeTo(b *strings.Builder, open *[]string, at int) {
	for len(*open) > at {
		last := len(*open) - 1
		b.WriteString("</" + (*open)[last] + ">")
		*open = (*open)[:last]
	}
}

func reversed(s []string) []string {
	out := slices.Clone(s)
	slices.Reverse(out)
	return out
}

// skip passes over the content of an element, whatever it holds.
func skip(z *html.Tokenizer, tag string) {
	for depth := 1; depth > 0; {
		switch z.Next() {
		case html.ErrorToken:
			return
		case html.StartTagToken:
			if name, _ := z.TagName(); string(name) == tag {
				depth++
			}
		case html.EndTagToken:
			if name, _ := z.TagName(); string(name) == tag {
				depth--
			}
		}
	}
}

// Words is what a reader sees of a text.
func Words(text string) string {
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(Sanitize(text)))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return b.String()
		case html.TextToken:
			b.WriteString(html.UnescapeString(string(z.Raw())))
		default:
			b.WriteByte(' ')
		}
	}
}
