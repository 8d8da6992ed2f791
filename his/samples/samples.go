// Package samples holds complete mappings to begin with: what a HIS of each style
// of interface is spoken to like. The simulated HIS understands all of them.
package samples

import (
	"embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed *.json
var files embed.FS

// Sample is a mapping to begin with.
type Sample struct {
	Name  string // rest, soap-utf8, soap-gbk
	Kind  string // the adapter
	Title string
}

// List is all samples.
func List() []Sample {
	return []Sample{
		{"rest", "rest", "REST：JSON，UTF-8"},
		{"soap-utf8", "soap", "SOAP：XML 套 XML，UTF-8"},
		{"soap-gbk", "soap", "SOAP：XML 套 XML，GBK"},
	}
}

// Mapping returns the text of a sample and the adapter that it is for.
func Mapping(name string) (text, kind string, err error) {
	all := List()
	i := slices.IndexFunc(all, func(s Sample) bool { return s.Name == name })
	if i < 0 {
		var names []string
		for _, s := range all {
			names = append(names, s.Name)
		}
		return "", "", fmt.Errorf("没有名为 %s 的样例，可用：%s", name, strings.Join(names, "、"))
	}
	data, err := files.ReadFile(name + ".json")
	return string(data), all[i].Kind, err
}
