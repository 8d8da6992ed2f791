package config

import (
	"hospay/flow"
	"hospay/internal/i18n"
	"hospay/internal/richtext"
)

// Previewed is a text as its reader will see it: a notice's HTML, or the plain
// text of a notification.
type Previewed struct {
	Title string  `json:"title"`
	HTML  *string `json:"html,omitempty"`
	Text  *string `json:"text,omitempty"`
}

// Preview shows a text as its reader will see it: the sanitised notice, or the
// notification with example values.
func Preview(kind, title, content string) (Previewed, error) {
	switch kind {
	case "notice":
		html := richtext.Sanitize(content)
		return Previewed{Title: title, HTML: &html}, nil
	case "text":
		text := i18n.Fill(content, examples()...)
		return Previewed{Title: i18n.Fill(title, examples()...), Text: &text}, nil
	}
	return Previewed{}, flow.NewError(flow.CodeBadRequest, "")
}

// examples are values of every place that a notification may use.
func examples() []string {
	text := func(key string) string { return i18n.Text(i18n.Default, key) }
	return []string{
		"no", "R20261124000001", "amount", "¥12.34", "reason", text("reason.REAL_NAME_CHECK_FAIL"), "channel", text("channel.wechat"),
		"method", text("method.transfer"), "time", "2026-11-24 10:30", "status", text("status.succeeded"), "link", "https://…/m/…",
	}
}
