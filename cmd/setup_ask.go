package cmd

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
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
	named            bool   // a file whose name counts
	secret           bool   // is not shown while it is typed, where that can be
	choices          []string
	check            func(string) error
}

// source is whoever is asked: the terminal, or a page.
type source interface {
	// answer gets one answer, which need not do.
	answer(question) (string, error)
	// open reads the file that an answer names.
	open(answer string) (name string, text []byte, err error)
}

// asker gets answers from a file of answers, or from somebody.
type asker struct {
	from  source // nil: there is nobody
	out   io.Writer
	given map[string]string
	used  map[string]bool
}

// newAsker reads the file of answers, a JSON object of texts. With one nobody is
// asked: what it does not say has its default, or is missing.
func newAsker(in io.Reader, out io.Writer, file string) (*asker, error) {
	a := &asker{out: out, given: map[string]string{}, used: map[string]bool{}}
	if file == "" {
		a.from = &terminal{bufio.NewReader(in), out}
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
		v, err := a.read(q, text)
		if err != nil {
			return "", fmt.Errorf("答案 %s（%s）：%w", q.key, q.label, err)
		}
		return v, nil
	}
	if a.from == nil {
		if q.def == "" && !q.optional {
			return "", fmt.Errorf("缺少答案 %s（%s）", q.key, q.label)
		}
		return a.read(q, "")
	}
	for {
		text, err := a.from.answer(q)
		if err != nil {
			return "", err
		}
		v, err := a.read(q, text)
		if err == nil {
			return v, nil
		}
		fmt.Fprintf(a.out, "  ✗ %v\n", err)
	}
}

// terminal is where somebody types.
type terminal struct {
	in  *bufio.Reader
	out io.Writer
}

func (t *terminal) answer(q question) (string, error) {
	if q.help != "" {
		fmt.Fprintf(t.out, "  %s\n", strings.ReplaceAll(q.help, "\n", "\n  "))
	}
	label := q.label
	switch {
	case q.named:
		label += "的路径"
	case q.file:
		label += "（可写 @文件路径）"
	case len(q.choices) > 0:
		label += "（" + strings.Join(q.choices, "、") + "）"
	}
	switch {
	case q.def != "":
		fmt.Fprintf(t.out, "%s [%s]：", label, q.def)
	case q.optional:
		fmt.Fprintf(t.out, "%s（可直接回车跳过）：", label)
	default:
		fmt.Fprintf(t.out, "%s：", label)
	}
	line, err := t.in.ReadString('\n')
	if err != nil && line == "" {
		fmt.Fprintln(t.out)
		return "", errLeft
	}
	return strings.TrimSpace(line), nil
}

func (*terminal) open(answer string) (string, []byte, error) { return readFile(answer) }

// readFile reads a file of this machine.
func readFile(path string) (string, []byte, error) {
	path = strings.Trim(path, `"'`)
	text, err := os.ReadFile(path)
	if err != nil {
		return "", nil, fmt.Errorf("读不了文件：%w", err)
	}
	return filepath.Base(path), text, nil
}

// open reads the file that an answer names; one of a file of answers lies on this
// machine.
func (a *asker) open(answer string) (string, []byte, error) {
	if a.from == nil {
		return readFile(answer)
	}
	return a.from.open(answer)
}

func (a *asker) read(q question, text string) (string, error) {
	if text == "" {
		text = q.def
	}
	if path, is := strings.CutPrefix(text, "@"); is && q.file {
		open := a.open
		if text == q.def { // ours
			open = readFile
		}
		_, data, err := open(path)
		if err != nil {
			return "", err
		}
		text = strings.TrimSpace(strings.TrimPrefix(string(data), "\ufeff"))
	}
	switch {
	case text == "" && q.optional:
		return "", nil
	case text == "":
		return "", errors.New("不能为空")
	case len(q.choices) > 0 && !slices.Contains(q.choices, text):
		return "", fmt.Errorf("只能是 %s", strings.Join(q.choices, "、"))
	case q.check != nil:
		return text, q.check(text)
	}
	return text, nil
}

// file asks for a file whose name counts.
func (a *asker) file(q question, check func(name string, text []byte) error) (name string, text []byte, err error) {
	q.named, q.check = true, func(answer string) (err error) {
		if name, text, err = a.open(answer); err == nil {
			err = check(name, text)
		}
		return err
	}
	_, err = a.ask(q)
	return name, text, err
}

// yes asks a question of yes and no.
func (a *asker) yes(key, label, def string) (bool, error) {
	v, err := a.ask(question{key: key, label: label, def: def, choices: []string{"y", "n"}})
	return v == "y", err
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
