package cmd

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// errLeft ends setup in the middle; what was done stays.
var errLeft = errors.New("已离开。做完的步骤都已保存，再次运行 hospay setup 从没做完的一步继续")

// question is one thing that setup has to know.
type question struct {
	key, label, help string
	def              string // what an empty answer means
	optional         bool   // an empty answer without def is an answer
	file             bool   // @PATH stands for the text of a file
	check            func(string) error
}

// asker gets answers from a file of answers, or from whoever sits at the terminal.
type asker struct {
	in    *bufio.Reader // nil: there is nobody
	out   io.Writer
	given map[string]string
	used  map[string]bool
}

// newAsker reads the file of answers, a JSON object of texts. With one nobody is
// asked: what it does not say has its default, or is missing.
func newAsker(in io.Reader, out io.Writer, file string) (*asker, error) {
	a := &asker{out: out, given: map[string]string{}, used: map[string]bool{}}
	if file == "" {
		a.in = bufio.NewReader(in)
		return a, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &a.given); err != nil {
		return nil, fmt.Errorf("%s 应是一个 JSON 对象，值都是文字：%w", file, err)
	}
	return a, nil
}

// ask returns the answer to a question. Whoever sits there is asked again until
// the answer will do; a file is not.
func (a *asker) ask(q question) (string, error) {
	if text, ok := a.given[q.key]; ok {
		a.used[q.key] = true
		v, err := q.read(text)
		if err != nil {
			return "", fmt.Errorf("答案 %s（%s）：%w", q.key, q.label, err)
		}
		return v, nil
	}
	if a.in == nil {
		if q.def == "" && !q.optional {
			return "", fmt.Errorf("缺少答案 %s（%s）", q.key, q.label)
		}
		return q.read("")
	}
	for {
		a.prompt(q)
		line, err := a.in.ReadString('\n')
		if err != nil && line == "" {
			fmt.Fprintln(a.out)
			return "", errLeft
		}
		v, err := q.read(strings.TrimSpace(line))
		if err == nil {
			return v, nil
		}
		fmt.Fprintf(a.out, "  ✗ %v\n", err)
	}
}

func (a *asker) prompt(q question) {
	if q.help != "" {
		fmt.Fprintf(a.out, "  %s\n", strings.ReplaceAll(q.help, "\n", "\n  "))
	}
	switch {
	case q.def != "":
		fmt.Fprintf(a.out, "%s [%s]：", q.label, q.def)
	case q.optional:
		fmt.Fprintf(a.out, "%s（可直接回车跳过）：", q.label)
	default:
		fmt.Fprintf(a.out, "%s：", q.label)
	}
}

func (q question) read(text string) (string, error) {
	if text == "" {
		text = q.def
	}
	if path, is := strings.CutPrefix(text, "@"); is && q.file {
		data, err := os.ReadFile(strings.Trim(path, `"'`))
		if err != nil {
			return "", fmt.Errorf("读不了文件：%w", err)
		}
		text = strings.TrimSpace(strings.TrimPrefix(string(data), "\ufeff"))
	}
	if text == "" {
		if q.optional {
			return "", nil
		}
		return "", errors.New("不能为空")
	}
	if q.check != nil {
		if err := q.check(text); err != nil {
			return "", err
		}
	}
	return text, nil
}

// yes asks a question of yes and no.
func (a *asker) yes(key, label, def string) (bool, error) {
	v, err := a.ask(question{key: key, label: label + "（y/n）", def: def, check: oneOf("y", "n")})
	return v == "y", err
}

func oneOf(words ...string) func(string) error {
	return func(s string) error {
		if !slices.Contains(words, s) {
			return fmt.Errorf("只能是 %s", strings.Join(words, "、"))
		}
		return nil
	}
}

// unused names answers that no question has asked for.
func (a *asker) unused() []string {
	var out []string
	for key := range a.given {
		if !a.used[key] {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	return out
}
