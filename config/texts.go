package config

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"hospay/channels"
	"hospay/flow"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

var (
	place       = regexp.MustCompile(`\{([^{}]*)\}`)
	keywordName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,39}$`)
	templateID  = regexp.MustCompile(`^[A-Za-z0-9_.:-]*$`)
)

// checkText keeps notices plain text, since they go out as messages and mails,
// and their places and keywords those that can be filled.
func checkText(_ *Service, app core.App, d *draft) error {
	text := d.rec.GetString("title") + d.rec.GetString("body")
	if strings.ContainsAny(text, "<>") {
		return errors.New("通知是纯文字，不能含 < 和 >")
	}
	if err := checkPlaces(text); err != nil {
		return err
	}
	for _, channel := range channels.Names() {
		if !templateID.MatchString(d.rec.GetString(channel + "_template")) {
			return errors.New("模板编号只能有字母、数字、横线、下划线、点和冒号")
		}
		words, err := store.Keywords([]byte(d.rec.GetString("keywords")), channel)
		if err != nil {
			return errors.New("关键词应为“关键词 → 内容”，每个渠道一组")
		}
		if err := checkKeywords(words); err != nil {
			return err
		}
	}
	return valid(app, d)
}

func checkPlaces(text string) error {
	for _, m := range place.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(store.TextPlaces(), m[1]) {
			return fmt.Errorf("没有名为 {%s} 的位置，可用的是 {%s}", m[1], strings.Join(store.TextPlaces(), "} {"))
		}
	}
	return nil
}

func checkKeywords(words map[string]string) error {
	for name, text := range words {
		if !keywordName.MatchString(name) {
			return fmt.Errorf("关键词 %q 不对：照模板写，如 thing1、keyword2", name)
		}
		clean, err := flow.Optional(text)
		if err != nil {
			return err
		}
		if clean == "" || len([]rune(clean)) > 200 {
			return fmt.Errorf("关键词 %s 的内容应为 1–200 字", name)
		}
		if err := checkPlaces(clean); err != nil {
			return err
		}
		if strings.Contains(clean, "{link}") {
			return errors.New("模板消息点开就是退款页，关键词不用 {link}")
		}
	}
	return nil
}
