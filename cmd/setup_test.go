package cmd

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSetup_AsksUntilTheAnswerWillDo(t *testing.T) {
	var out bytes.Buffer
	a, err := newAsker(strings.NewReader("n\ny\n\n"), &out, "")
	if err != nil {
		t.Fatal(err)
	}
	v, err := a.ask(question{key: "k", label: "只要 y", choices: []string{"y"}})
	if err != nil || v != "y" || !strings.Contains(out.String(), "只能是 y") {
		t.Errorf("%q %v\n%s", v, err, out.String())
	}
	if v, err := a.ask(question{key: "k", label: "默认", def: "d"}); err != nil || v != "d" {
		t.Errorf("%q %v", v, err)
	}
	if _, err := a.ask(question{key: "k", label: "没有了"}); !errors.Is(err, errLeft) {
		t.Errorf("%v", err)
	}
}

func TestSetup_FileOfAnswersIsTakenAtItsWord(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	pem := write("key.pem", "\ufeff-----BEGIN\n")
	var out bytes.Buffer
	a, err := newAsker(strings.NewReader("y\n"), &out, write("a.json", `{"pem":"@`+pem+`","bad":"x","slip":"1","plain":"@`+pem+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	if v, err := a.ask(question{key: "pem", label: "私钥", file: true}); err != nil || v != "-----BEGIN" {
		t.Errorf("%q %v", v, err)
	}
	if v, err := a.ask(question{key: "plain", label: "姓名"}); err != nil || v != "@"+pem {
		t.Errorf("a text that is no file: %q %v", v, err)
	}
	if _, err := a.ask(question{key: "bad", label: "开关", choices: []string{"y", "n"}}); err == nil ||
		!strings.Contains(err.Error(), "bad（开关）") {
		t.Errorf("%v", err)
	}
	if _, err := a.ask(question{key: "none", label: "没写的"}); err == nil || !strings.Contains(err.Error(), "缺少答案 none") {
		t.Errorf("%v", err)
	}
	if rest := a.unused(); len(rest) != 1 || rest[0] != "slip" {
		t.Errorf("%v", rest)
	}
}

// TestSetup_SettingsFileIsTheSampleFilledIn: a value goes into its line, a line
// that was a comment becomes one that holds, nothing else changes.
func TestSetup_SettingsFileIsTheSampleFilledIn(t *testing.T) {
	text := fillSettings(map[string]string{envDir: `/data/$1`, envBackups: "/mnt/b", envProxy: ""})
	got := map[string]string{}
	if err := readEnvironment("f", []byte(text), func(k, v string) error { got[k] = v; return nil }); err != nil {
		t.Fatal(err)
	}
	if got[envDir] != "/data/$1" || got[envBackups] != "/mnt/b" || got[envProxy] != "127.0.0.1" || got[envSecond] != "" {
		t.Errorf("%v", got)
	}
}
