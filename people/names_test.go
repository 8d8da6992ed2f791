package people_test

import (
	"encoding/json"
	"os"
	"testing"
	"unicode/utf8"

	"hospay/people"
)

// cases are the table that the pages' rule is tested by as well.
func cases(t testing.TB) (out struct {
	Same, Different [][]string
	Written         map[string]string
}) {
	t.Helper()
	data, err := os.ReadFile("names.json")
	if err == nil {
		err = json.Unmarshal(data, &out)
	}
	if err != nil || len(out.Same) == 0 || len(out.Different) == 0 || len(out.Written) == 0 {
		t.Fatal(err, out)
	}
	return out
}

func TestSameName_HoweverItIsTyped(t *testing.T) {
	for _, group := range cases(t).Same {
		for _, a := range group {
			for _, b := range group {
				if !people.SameName(a, b) {
					t.Errorf("%q and %q are one name", a, b)
				}
			}
		}
	}
	for _, pair := range cases(t).Different {
		if people.SameName(pair[0], pair[1]) || people.SameName(pair[1], pair[0]) {
			t.Errorf("%q and %q are two names", pair[0], pair[1])
		}
	}
	for typed, want := range cases(t).Written {
		if got := people.WrittenName(typed); got != want {
			t.Errorf("%q is written %q, want %q", typed, got, want)
		}
	}
}

func TestNameForm(t *testing.T) {
	for name, want := range map[string]bool{
		"张三": true, "买买提·艾力": true, "O'Neil Mary-Ann": true, "王小明之女1": true, "李四(2)": true, "José": true, "𠮷田": true,
		"": false, "<script>": false, "张三\x00": false, "张三;--": false, "张\n三": false, `张"三`: false, "张&三": false, "张=三": false, "{张三}": false,
	} {
		if got := people.NameForm(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}

func FuzzSameName(f *testing.F) {
	for _, group := range cases(f).Same {
		f.Add(group[0], group[len(group)-1])
	}
	f.Add("ß", "SS")
	f.Add("\u0130", "i\u0307")
	f.Fuzz(func(t *testing.T, a, b string) {
		once := people.WrittenName(a)
		if people.WrittenName(once) != once || !utf8.ValidString(once) {
			t.Fatalf("%q is written %q and then %q", a, once, people.WrittenName(once))
		}
		if people.SameName(a, b) != people.SameName(b, a) || people.SameName(a, a) != (once != "") {
			t.Fatalf("%q and %q are not compared both ways", a, b)
		}
		if once != "" && !people.SameName(a, once) || people.SameName(a, b) && !people.SameName(once, people.WrittenName(b)) {
			t.Fatalf("%q is not the same name as written %q", a, once)
		}
		if people.SameName(a, b) && utf8.ValidString(a) && a != b && people.SameName(a+"李", b+"王") {
			t.Fatalf("%q and %q hide a difference", a, b)
		}
	})
}
