package cmd

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"unicode/utf8"

	"hospay/internal/foreign"
)

// readWords reads what the user's system calls things: a line says 完结=成功.
// What follows # is for people.
func readWords(path string) (*foreign.Words, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s 打不开：%w", path, bare(err))
	}
	text := string(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))
	if !utf8.ValidString(text) {
		var ok bool
		if text, ok = foreign.DecodeGB(data); !ok {
			return nil, fmt.Errorf("%s 不是 UTF-8 也不是 GBK 文字", path)
		}
	}
	words, n := &foreign.Words{}, 0
	for line := range strings.Lines(text) {
		n++
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		theirs, ours, ok := strings.Cut(strings.Replace(line, "＝", "=", 1), "=")
		if !ok || !words.Add(theirs, ours) {
			return nil, fmt.Errorf("%s 第 %d 行应为“对方的词=意思”，意思如成功、失败、处理中、原路退、转账退、微信、支付宝、现金、银行卡，不能是 %q", path, n, line)
		}
	}
	return words, nil
}
