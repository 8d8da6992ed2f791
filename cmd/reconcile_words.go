package cmd

import (
	"bytes"
	"fmt"
	"os"
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
	words, err := foreign.ReadWords(text)
	if err != nil {
		return nil, fmt.Errorf("%s %w", path, err)
	}
	return words, nil
}
