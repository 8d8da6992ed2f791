// Package alerts judges figures by the alert rules of deploy/prometheus-alerts.yml,
// so that the program itself tells people what Prometheus would. It understands
// what those rules are written in, and refuses what it does not: thresholds,
// selectors, increase, sums by labels, or.
package alerts

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Rule is one alert.
type Rule struct {
	Name    string
	Expr    string
	For     time.Duration
	Summary string // what is so
	Todo    string // who does what
	eval    node
}

var (
	summaryText = regexp.MustCompile(`summary: "([^"]*)"`)
	todoText    = regexp.MustCompile(`todo: "([^"]*)"`)
)

// Parse reads the rules of the file.
func Parse(text string) ([]Rule, error) {
	var out []Rule
	for line := range strings.Lines(text) {
		key, v, _ := strings.Cut(strings.TrimSpace(line), ":")
		v = strings.TrimSpace(v)
		if key == "- alert" {
			out = append(out, Rule{Name: v})
			continue
		}
		if len(out) == 0 {
			continue
		}
		r := &out[len(out)-1]
		var err error
		switch key {
		case "expr":
			r.Expr = v
			r.eval, err = parse(v)
		case "for":
			r.For, err = time.ParseDuration(v)
		case "annotations":
			s, t := summaryText.FindStringSubmatch(v), todoText.FindStringSubmatch(v)
			if s == nil || t == nil {
				err = errors.New("no summary or todo")
			} else {
				r.Summary, r.Todo = s[1], t[1]
			}
		}
		if err != nil {
			return nil, fmt.Errorf("rule %s: %w", r.Name, err)
		}
	}
	for _, r := range out {
		if r.eval == nil || r.Summary == "" {
			return nil, fmt.Errorf("rule %s: expr or annotations are missing", r.Name)
		}
	}
	return out, nil
}

var tokens = regexp.MustCompile(`\s*("[^"]*"|[A-Za-z_][A-Za-z0-9_]*|[0-9][0-9.a-z]*|==|!=|=~|>=|<=|[{}()\[\],=<>+])`)

type parser struct {
	rest []string
}

func parse(text string) (node, error) {
	p := &parser{}
	left := tokens.ReplaceAllStringFunc(text, func(s string) string { p.rest = append(p.rest, strings.TrimSpace(s)); return "" })
	if strings.TrimSpace(left) != "" {
		return nil, fmt.Errorf("%q is not understood", left)
	}
	n, err := p.or()
	if err == nil && len(p.rest) > 0 {
		err = fmt.Errorf("%q is not understood", strings.Join(p.rest, " "))
	}
	return n, err
}

func (p *parser) peek() string {
	if len(p.rest) == 0 {
		return ""
	}
	return p.rest[0]
}

func (p *parser) take(want ...string) error {
	for _, w := range want {
		if p.peek() != w {
			return fmt.Errorf("%q where %q was expected", p.peek(), w)
		}
		p.rest = p.rest[1:]
	}
	return nil
}

func (p *parser) word() string {
	w := p.peek()
	if len(p.rest) > 0 {
		p.rest = p.rest[1:]
	}
	return w
}

func (p *parser) or() (node, error) {
	a, err := p.compare()
	for err == nil && p.peek() == "or" {
		p.word()
		var b node
		if b, err = p.compare(); err == nil {
			a = either{a, b}
		}
	}
	return a, err
}

func (p *parser) compare() (node, error) {
	a, err := p.sum()
	if err != nil {
		return nil, err
	}
	op := p.word()
	limit, err := strconv.ParseFloat(p.word(), 64)
	if err != nil {
		return nil, fmt.Errorf("no threshold after %q", op)
	}
	switch op {
	case "==", "!=", ">", "<", ">=", "<=":
		return compared{a, op, limit}, nil
	}
	return nil, fmt.Errorf("%q is no comparison", op)
}

func (p *parser) sum() (node, error) {
	a, err := p.term()
	if err != nil || p.peek() != "+" {
		return a, err
	}
	if err := p.take("+", "on", "("); err != nil {
		return nil, err
	}
	on, err := p.names()
	if err != nil {
		return nil, err
	}
	b, err := p.term()
	return added{a, b, on}, err
}

// names reads names up to a closing bracket.
func (p *parser) names() (out []string, err error) {
	for p.peek() != ")" && p.peek() != "" {
		if w := p.word(); w != "," {
			out = append(out, w)
		}
	}
	return out, p.take(")")
}

func (p *parser) term() (node, error) {
	switch name := p.word(); name {
	case "sum":
		if err := p.take("by", "("); err != nil {
			return nil, err
		}
		by, err := p.names()
		if err != nil {
			return nil, err
		}
		if err := p.take("("); err != nil {
			return nil, err
		}
		of, err := p.term()
		if err != nil {
			return nil, err
		}
		return summed{of, by}, p.take(")")
	case "increase":
		if err := p.take("("); err != nil {
			return nil, err
		}
		of, err := p.selector(p.word())
		if err != nil {
			return nil, err
		}
		if err := p.take("["); err != nil {
			return nil, err
		}
		over, err := time.ParseDuration(p.word())
		if err != nil {
			return nil, err
		}
		return grown{of, over}, p.take("]", ")")
	default:
		return p.selector(name)
	}
}

func (p *parser) selector(name string) (selected, error) {
	s := selected{name: name}
	if p.peek() != "{" {
		return s, nil
	}
	for p.word(); p.peek() != "}" && p.peek() != ""; {
		if p.peek() == "," {
			p.word()
			continue
		}
		label, op, value := p.word(), p.word(), strings.Trim(p.word(), `"`)
		m := matcher{label: label, want: regexp.QuoteMeta(value)}
		switch op {
		case "=~":
			m.want = value
		case "=":
		default:
			return s, fmt.Errorf("%q is no matcher", op)
		}
		var err error
		if m.form, err = regexp.Compile("^(?:" + m.want + ")$"); err != nil {
			return s, err
		}
		s.match = append(s.match, m)
	}
	return s, p.take("}")
}
