package richtext

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

func TestSanitize_KeepsWhatIsAllowed(t *testing.T) {
	for in, want := range map[string]string{
		"<p>退款只能<b>退给</b>本人。</p>":                                 "<p>退款只能<b>退给</b>本人。</p>",
		"<h3>标题</h3><ul><li>一</li><li>二</li></ul>":                "<h3>标题</h3><ul><li>一</li><li>二</li></ul>",
		"<table><tr><th>a</th><td>b</td></tr></table>":            "<table><tr><th>a</th><td>b</td></tr></table>",
		"一行<br>二行<br/>三行":                                         "一行<br>二行<br>三行",
		`<p class="x" style="color:red" onclick="alert(1)">字</p>`: "<p>字</p>",
		`<a href="javascript:alert(1)">链接</a>`:                    "链接",
		`<div><span>文字</span></div>`:                              "文字",
		"<b>没有关":                                                  "<b>没有关</b>",
		"<ul><li>一</ul>":                                          "<ul><li>一</li></ul>",
		"</p>多余":                                                  "多余",
		"1 &lt; 2 &amp; 3":                                        "1 &lt; 2 &amp; 3",
		"&lt;script&gt;alert(1)&lt;/script&gt;":                   "&lt;script&gt;alert(1)&lt;/script&gt;",
		"<SCRIPT>alert(1)</SCRIPT>后":                              "后",
		"<script>alert(1)</script >后":                             "后",
		"<script>if (a </b> b) {}</script>后":                      "后",
		"<style>p{background:url(javascript:x)}</style>后":         "后",
		`<svg><script>alert(1)</script><p onload=x>in</p></svg>后`: "后",
		`<img src=x onerror=alert(1)>后`:                           "后",
		"<!-- <p>--><p>后</p>":                                     "<p>后</p>",
		"<iframe src=//x></iframe><object data=x></object>后":      "后",
		`<p/onmouseover="alert(1)">后</p>`:                         "<p>后</p>",
		"<!DOCTYPE html><?xml x?>后":                               "后",
		"":                                                        "",
	} {
		if got := Sanitize(in); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}

// FuzzSanitize: whatever comes in, a browser's parser finds allowed tags only,
// none with an attribute, and a second pass changes nothing.
func FuzzSanitize(f *testing.F) {
	for _, s := range []string{
		"<p>x</p>", "<scr<script>ipt>alert(1)</scr</script>ipt>", `<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>`,
		`<noscript><p title="</noscript><img src=x onerror=alert(1)>">`, "<textarea><img src=x onerror=alert(1)></textarea>",
		"<plaintext><p onclick=x>",
		"<svg><style><img src=x onerror=alert(1)></style></svg>", "<p\x00onclick=x>", "&#60;script&#62;",
		"<select><template><script>x</script></template></select>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		out := Sanitize(in)
		if again := Sanitize(out); again != out {
			t.Fatalf("not stable: %q → %q → %q", in, out, again)
		}
		root, err := html.Parse(strings.NewReader("<body>" + out))
		if err != nil {
			t.Fatal(err)
		}
		for n := range root.Descendants() {
			if n.Type != html.ElementNode || slices.Contains([]string{"html", "head", "body", "tbody", "colgroup"}, n.Data) {
				continue
			}
			if !slices.Contains(Allowed(), n.Data) || len(n.Attr) > 0 {
				t.Fatalf("%q left %s %v in %q", in, n.Data, n.Attr, out)
			}
		}
	})
}
