package channels

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"hospay/internal/wire"
	"hospay/money"
	"hospay/refund"
)

// Settings reads a configuration's settings and collects what is wrong with
// them, in Chinese, for the person who configures.
type Settings struct {
	values, secrets map[string]string
	read            map[string]bool // name → is a secret
	wrong           []string
}

// NewSettings starts reading; nil is an empty set.
func NewSettings(values, secrets map[string]string) *Settings {
	return &Settings{values: values, secrets: secrets, read: map[string]bool{}}
}

// Read returns the names that were asked for, and whether each is a secret.
func (s *Settings) Read() map[string]bool { return s.read }

// Secret returns a key or certificate.
func (s *Settings) Secret(key string) string {
	s.read[key] = true
	return strings.TrimSpace(s.secrets[key])
}

// Text returns the setting or, when it is empty, the default.
func (s *Settings) Text(key, def string) string {
	s.read[key] = false
	if v := strings.TrimSpace(s.values[key]); v != "" {
		return v
	}
	return def
}

// Fen reads an amount in fen.
func (s *Settings) Fen(key string, def money.Fen) money.Fen {
	n, err := strconv.ParseInt(s.Text(key, strconv.FormatInt(int64(def), 10)), 10, 64)
	if err != nil || n < 0 || money.Fen(n) > money.Max {
		s.Wrong("设置 %s 应为不小于 0 的整数（单位：分）", key)
		return def
	}
	return money.Fen(n)
}

// Days reads a number of days.
func (s *Settings) Days(key string, def int) time.Duration {
	n, err := strconv.Atoi(s.Text(key, strconv.Itoa(def)))
	if err != nil || n < 0 || n > 36500 {
		s.Wrong("设置 %s 应为天数", key)
		n = def
	}
	return time.Duration(n) * 24 * time.Hour
}

// Duration reads a time span such as "10s".
func (s *Settings) Duration(key string, def time.Duration) time.Duration {
	d, err := time.ParseDuration(s.Text(key, def.String()))
	if err != nil || d <= 0 || d > 2*time.Minute {
		s.Wrong("设置 %s 应为时长，例如 10s，最长 2m", key)
		return def
	}
	return d
}

// JSON reads a setting that holds JSON; an empty one leaves out as it is.
func (s *Settings) JSON(key string, out any) {
	if v := s.Text(key, ""); v != "" && json.Unmarshal([]byte(v), out) != nil {
		s.Wrong("设置 %s 不是正确的 JSON", key)
	}
}

// OneOf reads a setting with a closed list of values; the first is the default.
func (s *Settings) OneOf(key string, values ...string) string {
	v := s.Text(key, values[0])
	if !slices.Contains(values, v) {
		s.Wrong("设置 %s 只能是 %s", key, strings.Join(values, "、"))
		return values[0]
	}
	return v
}

// Base reads a base URL.
func (s *Settings) Base(key, def string) string {
	v := strings.TrimRight(s.Text(key, def), "/")
	if v == "" {
		return ""
	}
	if _, err := wire.ParseBase(v); err != nil {
		s.Wrong("设置 %s 的%v", key, err)
	}
	return v
}

// Methods reads the comma-separated list of refund methods that are in use.
func (s *Settings) Methods(key string) []refund.Method {
	var list []refund.Method
	for _, m := range strings.Split(s.Text(key, "transfer,original"), ",") {
		m := refund.Method(strings.TrimSpace(m))
		if !m.Valid() {
			s.Wrong("设置 %s 只能含 transfer、original", key)
			continue
		}
		list = append(list, m)
	}
	return list
}

// Wrong notes a mistake.
func (s *Settings) Wrong(format string, args ...any) {
	s.wrong = append(s.wrong, fmt.Sprintf(format, args...))
}

// Require notes a mistake when the value of a required field is empty.
func (s *Settings) Require(label, value string) {
	if strings.TrimSpace(value) == "" {
		s.Wrong("缺少%s", label)
	}
}

// Err returns all mistakes in one error, or nil.
func (s *Settings) Err(channel string) error {
	if len(s.wrong) == 0 {
		return nil
	}
	return fmt.Errorf("%s配置有误：%s", channel, strings.Join(s.wrong, "；"))
}
