package flow_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"hospay/flow"
)

func TestRequired_SaysSomething(t *testing.T) {
	for s, want := range map[string]string{
		"证件不清晰": "证件不清晰", "  重复　": "重复", "第一行\r\n第二行": "第一行\n第二行", "ok": "ok", "12": "12", "a b": "a b", "\u200b不符\ufeff": "不符", "表\t格": "表\t格",
	} {
		if got, err := flow.Required(s, flow.CodeNoteRequired); err != nil || got != want {
			t.Errorf("%q: %q %v", s, got, err)
		}
	}
	for _, s := range []string{"", " ", "   ", "\u3000\u3000", "\t\n\r\n", "\u00a0\u2003", "\u200b\u200b", "\u3164\u3164", "\u2800\u2800", "x",
		"错", "。。。", "--", "!?", " x "} {
		if got, err := flow.Required(s, flow.CodeEvidenceRequired); flow.CodeOf(err) != flow.CodeEvidenceRequired || got != "" {
			t.Errorf("%q passes for a reason: %q %v", s, got, err)
		}
	}
	for _, s := range []string{"原因\x00", "\x07响铃", "a\x1b[31mb", "\x7f删除", "c1\u0085x", "反\u202e向", "\u2066隔离", "坏\xff字节", "非\ufffe字"} {
		for _, read := range []func(string) (string, error){flow.Optional, func(s string) (string, error) {
			return flow.Required(s, flow.CodeNoteRequired)
		}} {
			if got, err := read(s); flow.CodeOf(err) != flow.CodeTextInvalid || got != "" {
				t.Errorf("%q is taken: %q %v", s, got, err)
			}
		}
	}
	if got, err := flow.Optional("  "); got != "" || err != nil {
		t.Error(got, err)
	}
}

func FuzzRequired(f *testing.F) {
	for _, s := range []string{"", " 重复 ", "\u3164x", "a\x00b", "两行\n字"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := flow.Required(s, flow.CodeNoteRequired)
		if err != nil {
			return
		}
		again, err := flow.Required(got, flow.CodeNoteRequired)
		if again != got || err != nil || utf8.RuneCountInString(strings.TrimSpace(got)) < 2 || strings.ContainsAny(got, "\x00\r\x1b\x7f") {
			t.Fatalf("%q became %q and then %q: %v", s, got, again, err)
		}
	})
}
