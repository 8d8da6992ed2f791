package alipay

import (
	"encoding/json"
	"unicode/utf8"

	"hospay/internal/foreign"
)

// readable takes an answer whose texts may be GBK, whatever was asked for: the
// gateway's older parts write sub_msg so. The vendor's client verifies the
// signature over the bytes as they came and hands over the same bytes, which
// JSON alone would turn into replacement characters.
type readable struct{ out any }

// UnmarshalJSON reads the verified bytes.
func (r *readable) UnmarshalJSON(data []byte) error {
	if utf8.Valid(data) {
		return json.Unmarshal(data, r.out)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return err
	}
	for name, value := range fields {
		if !utf8.Valid(value) {
			text, _ := foreign.DecodeGB(value)
			fields[name] = json.RawMessage(text)
		}
	}
	clean, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	return json.Unmarshal(clean, r.out)
}
