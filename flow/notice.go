package flow

import "time"

// NoticeEvent names what the patient is told.
type NoticeEvent string

// Notice asks for a message. Not before At; Round counts reminders.
type Notice struct {
	Event NoticeEvent
	Round int
	At    time.Time
	Staff bool // to staff instead of the patient
}
