// Package i18n holds the sentences that people read, one flat JSON file per
// language, shared by the server and the pages. Codes are stable; sentences may
// change.
package i18n

import (
	"embed"
	"encoding/json"
	"strings"
)

//go:embed *.json
var files embed.FS

// Default is the language of the product.
const Default = "zh-CN"

// Languages lists the languages that exist.
func Languages() []string { return []string{Default, "en"} }

var catalog = load()

func load() map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, lang := range Languages() {
		data, err := files.ReadFile(lang + ".json")
		if err != nil {
			panic(err) // embedded at build time
		}
		texts := map[string]string{}
		if err := json.Unmarshal(data, &texts); err != nil {
			panic(err)
		}
		all[lang] = texts
	}
	return all
}

// Text returns the sentence of a key, with {name} places filled from pairs of
// name and value. A missing key is returned as it is.
func Text(lang, key string, pairs ...string) string {
	texts, ok := catalog[lang]
	if !ok {
		texts = catalog[Default]
	}
	s, ok := texts[key]
	if !ok {
		return key
	}
	return Fill(s, pairs...)
}

// Has reports whether the default language knows a key.
func Has(key string) bool { _, ok := catalog[Default][key]; return ok }

// Fill replaces {name} places in a text.
func Fill(s string, pairs ...string) string {
	places := make([]string, 0, len(pairs))
	for i := 0; i+1 < len(pairs); i += 2 {
		places = append(places, "{"+pairs[i]+"}", pairs[i+1])
	}
	return strings.NewReplacer(places...).Replace(s)
}
