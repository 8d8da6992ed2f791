package flow

import "time"

// NoticeEvent names what somebody is told.
type NoticeEvent string

// The events that every domain tells staff about.
const (
	NoticeHold     NoticeEvent = "hold"     // an account of the other side is short or closed
	NoticeSuspense NoticeEvent = "suspense" // an order needs people
	NoticeClock    NoticeEvent = "clock"    // the machine's clock has gone back
	NoticeTampered NoticeEvent = "tampered" // guards or audit log are not as the program left them
)

// Notice asks for a message. Not before At; Round counts reminders.
type Notice struct {
	Event NoticeEvent
	Round int
	At    time.Time
	Staff bool // to staff instead of the patient
}
