package centre

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"hospay/sim"
)

// noticeGaps are the waits before a 6302 is sent again; the true plan is not public.
var noticeGaps = []time.Duration{15 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour}

// tell sends the 6302 of a settlement.
func (s *Server) tell(no string, _ url.Values) error {
	var out thing
	err := s.with(no, func(o *order) error {
		if o.settled.IsZero() {
			return fmt.Errorf("order %s is not settled", no)
		}
		out = o.result(thing{"payOrdId": o.payOrdID}, sim.Fault{})
		return nil
	})
	if err != nil {
		return err
	}
	set := s.settings.Get()
	s.Courier().Send(sim.Message{No: str(out, "medOrgOrd"), URL: set.NoticeURL, Gaps: noticeGaps, Scale: set.CallbackScale,
		Accepted: accepted,
		Make: func(lie sim.Fault, how sim.Seal) (http.Header, []byte) {
			return http.Header{"Content-Type": {"application/json;charset=UTF-8"}}, s.notice(out, lie, how)
		}})
	return nil
}

// accepted: HTTP 200, and where there is a body it speaks of success. The true
// form is not public but for one region, which sends nothing.
func accepted(status int, body string) bool {
	if status != http.StatusOK || strings.TrimSpace(body) == "" {
		return status == http.StatusOK
	}
	m, ok := read([]byte(body))
	return ok && str(m, "code") == "0"
}

// notice is the body, with the spelling of the settings.
func (s *Server) notice(told thing, lie sim.Fault, how sim.Seal) []byte {
	set := s.settings.Get()
	raw, err := json.Marshal(s.liar().Tell(lie, told))
	m, ok := read(raw)
	if err != nil || !ok {
		return nil
	}
	m["callType"] = set.NoticeCall
	if set.NoticeOwnPay != "ownPayAmt" {
		m[set.NoticeOwnPay] = m["ownPayAmt"]
		delete(m, "ownPayAmt")
	}
	if ext, is := m["extData"].(thing); is && set.NoticeList {
		m["extData"] = thing{"setlinfo": []any{ext["setlinfo"]}}
	}
	if set.NoticeForm == "plain" {
		return sim.JSON(m)
	}
	return s.envelope(answer{Code: "0", Message: "成功", Data: m}, how)
}
