package config

import (
	"hospay/flow"
	"hospay/internal/i18n"
	"hospay/internal/richtext"
)

// Preview shows a text as its reader will see it: the sanitised notice, or the
// notification with example values.
func Preview(kind, title, content string) (map[string]any, error) {
	switch kind {
	case "notice":
		return map[string]any{"title": title, "html": richtext.Sanitize(content)}, nil
	case "text":
		return map[string]any{"title": i18n.Fill(title, examples()...), "text": i18n.Fill(content, examples()...)}, nil
	}
	return nil, flow.NewError(flow.CodeBadRequest, "")
}

// examples are values of every place that a notification may use.
func examples() []string {
	text := func(key string) string { return i18n.Text(i18n.Default, key) }
	return []string{
		"no", "R20261124000001", "amount", "¥12.34", "reason", text("reason.REAL_NAME_CHECK_FAIL"), "channel", text("channel.wechat"),
		"method", text("method.transfer"), "time", "2026-11-24 10:30", "status", text("status.succeeded"),
	}
}
