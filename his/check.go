package his

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"hospay/flow"
)

// needed lists the operations that every mapping has; without reversal the
// configuration says that the HIS cannot reverse.
var needed = []string{OpPerson, OpCards, OpCard, OpDeposits, OpDebit}

// ParseMapping reads and checks a mapping. Unknown names are errors, because a
// setting with a slip of the pen would otherwise be silently without effect.
func ParseMapping(raw json.RawMessage) (Mapping, error) {
	m := Mapping{TimeLayout: time.DateTime, PageSize: 200}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return m, fmt.Errorf("HIS 映射不是有效的 JSON，或含有未知的设置：%w", err)
	}
	if m.PageSize <= 0 {
		m.PageSize = 200
	}
	if err := m.checkCodes(); err != nil {
		return m, err
	}
	for _, name := range needed {
		if _, ok := m.Operations[name]; !ok {
			return m, fmt.Errorf("HIS 映射缺少操作 %s", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.Operations)) {
		r, ok := rules[name]
		if !ok {
			return m, fmt.Errorf("HIS 映射含有未知的操作 %s", name)
		}
		op := m.Operations[name]
		op.name = name
		m.Operations[name] = op
		if err := op.check(r); err != nil {
			return m, fmt.Errorf("HIS 映射的操作 %s：%w", name, err)
		}
	}
	return m, m.checkFeatures()
}

// checkCodes makes sure that a code has one meaning and that a missing code has
// none.
func (m Mapping) checkCodes() error {
	if m.Unit != "yuan" && m.Unit != "fen" {
		return errors.New("HIS 映射缺少金额单位 unit（yuan 或 fen）")
	}
	if m.Code == "" || len(m.Done) == 0 {
		return errors.New("HIS 映射缺少结果码的位置 code 或成功码 done")
	}
	seen := map[string]bool{}
	for _, code := range slices.Concat(m.Done, m.NotFound, slices.Collect(maps.Keys(m.Refused))) {
		if strings.TrimSpace(code) == "" || strings.TrimSpace(code) != code {
			return errors.New("HIS 映射的结果码不能为空，也不能带空格")
		}
		if seen[code] {
			return fmt.Errorf("HIS 映射的结果码 %q 同时出现在 done、not_found、refused 中", code)
		}
		seen[code] = true
	}
	for code, r := range m.Refused {
		switch r.Who {
		case flow.ActorNone, flow.ActorPatient, flow.ActorReviewer, flow.ActorFinance, flow.ActorIT:
		default:
			return fmt.Errorf("HIS 映射的拒绝码 %q 的 who 应为 patient、reviewer、finance、it 或空", code)
		}
	}
	return nil
}

func (op Operation) check(r rule) error {
	if op.Path != "" && op.Path[0] != '/' && op.Path[0] != '?' || strings.ContainsAny(op.Path, "#\\{} \t\r\n") {
		return fmt.Errorf("path 只能为空，或以 / 或 ? 开头，且不含占位符、空格和 #")
	}
	if r.list && op.List == "" {
		return errors.New("缺少列表的位置 list")
	}
	if !r.list && (op.List != "" || op.Total != "" || len(op.Empty) > 0) {
		return errors.New("不返回列表，不能设置 list、total、empty")
	}
	if err := r.checkFields(op.Fields); err != nil {
		return err
	}
	if err := r.checkLists(op.Lists); err != nil {
		return err
	}
	if op.Sign != "" && (op.Sign != negative || op.Fields["amount"] == "") {
		return errors.New("sign 只能为 negative（HIS 把字段 amount 写成负数），或不填")
	}
	if op.Idempotent && op.name != OpCharge {
		return fmt.Errorf("idempotent 只用于 %s", OpCharge)
	}
	if err := op.checkProofs(r); err != nil {
		return err
	}
	for _, group := range r.sends {
		if !slices.ContainsFunc(group, func(p string) bool { return strings.Contains(op.Body, "{"+p+"}") }) {
			return fmt.Errorf("请求模板缺少占位符 {%s}", strings.Join(group, "} 或 {"))
		}
	}
	return nil
}

// checkFields wants the fields without which an answer proves nothing, and no
// unknown ones.
func (r rule) checkFields(fields map[string]string) error {
	for _, name := range r.must {
		if fields[name] == "" {
			return fmt.Errorf("缺少字段 %s：没有它，成功码不足以证明结果", name)
		}
	}
	if len(r.oneOf) > 0 && !slices.ContainsFunc(r.oneOf, func(name string) bool { return fields[name] != "" }) {
		return fmt.Errorf("缺少字段 %s（至少一个）：没有它，成功码不足以证明结果", strings.Join(r.oneOf, " 或 "))
	}
	for name, path := range fields {
		if !slices.Contains(r.fields, name) || path == "" {
			return fmt.Errorf("字段 %s 未知或没有位置；可用：%s", name, strings.Join(r.fields, " "))
		}
	}
	return nil
}

func (r rule) checkLists(lists map[string]Rows) error {
	for name, inner := range r.lists {
		if _, ok := lists[name]; !ok && inner.list {
			return fmt.Errorf("缺少列表 lists.%s", name)
		}
	}
	for name, rows := range lists {
		inner, ok := r.lists[name]
		if !ok || rows.List == "" {
			return fmt.Errorf("列表 lists.%s 未知或没有位置 list；可用：%s", name, strings.Join(slices.Sorted(maps.Keys(r.lists)), " "))
		}
		if err := inner.checkFields(rows.Fields); err != nil {
			return fmt.Errorf("列表 lists.%s：%w", name, err)
		}
	}
	return nil
}

// checkProofs looks at what decides about an answer beside its code.
func (op Operation) checkProofs(r rule) error {
	for name, path := range op.Echo {
		if !slices.Contains(r.places, name) || slices.Contains(numbers, name) || path == "" {
			return fmt.Errorf("回显 echo 的 %s 未知或没有位置（金额请用字段 amount）", name)
		}
	}
	if op.Fields["status"] != "" && r.states && len(op.Done) == 0 {
		return errors.New("有字段 status，但没有列出表示完成的 done")
	}
	words := slices.Concat(op.Done, op.Pending, op.Empty)
	for path, flag := range op.Flags {
		if path == "" || len(flag) == 0 || r.list {
			return errors.New("flags 要写“位置 → 表示成功的词”，且不能用于列表")
		}
		words = append(words, flag...)
	}
	for _, word := range words {
		if strings.TrimSpace(word) == "" {
			return errors.New("done、pending、empty、flags 中不能有空值")
		}
	}
	return nil
}
