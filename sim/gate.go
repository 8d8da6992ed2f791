package sim

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// Call describes one authenticated request: operation, short name, our number
// and the digest of its business fields.
type Call struct{ Op, Alias, No, Hash string }

// Reply is an answer before it is signed.
type Reply struct {
	Status int
	Type   string // content type
	Body   []byte
	Raw    bool // file downloads: never signed
}

// Seal says how an answer or a callback is signed.
type Seal int

// The ways to sign: rightly, wrongly, not at all, as a signature probe, by an unknown key.
const (
	SealGood Seal = iota
	SealBad
	SealNone
	SealProbe
	SealOtherKey
)

// Failure is an error that is planned. Kind is "500", "unknown_code",
// "rate_limited", "not_enough", "system_error" or the name of a refusal; a
// scripted refusal (Refuse) brings its own code, message and status.
type Failure struct {
	Kind, Code, Message string
	Status              int
}

// Dialect is what differs between the simulators: their error bodies and signatures.
type Dialect interface {
	// Fail builds an error answer.
	Fail(f Failure) *Reply
	// Seal signs: it may set headers and returns the bytes to send.
	Seal(h http.Header, r *Reply, how Seal) []byte
}

// JSON encodes without escaping slashes or HTML characters and without a line end.
func JSON(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return []byte("null")
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// JSONReply is an answer with a JSON body.
func JSONReply(status int, v any) *Reply {
	return &Reply{Status: status, Type: "application/json; charset=utf-8", Body: JSON(v)}
}

// WriteJSON answers a control route.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	w.Write(append(JSON(v), '\n'))
}

var beforeKinds = map[string]string{Error500Before: "500", UnknownCode: "unknown_code", RateLimited: "rate_limited",
	NotEnough: "not_enough", SystemErrorBefore: "system_error", InvalidRequest: InvalidRequest, NoAuth: NoAuth, IPNotAllowed: IPNotAllowed,
	OpenidOtherApp: OpenidOtherApp, QuotaExceeded: QuotaExceeded, Refuse: Refuse}

var afterKinds = map[string]string{Error500After: "500", UnknownCodeAfter: "unknown_code", SystemErrorAfter: "system_error"}

var sealKinds = map[string]Seal{BadSignature: SealBad, Unsigned: SealNone, SignTest: SealProbe}

// Serve logs the call, asks for a fault, executes and answers. exec gets the
// fault because some (name_mismatch, callback faults) act inside.
func (c *Core) Serve(w http.ResponseWriter, d Dialect, call Call, exec func(Fault) *Reply) {
	f, began := c.faults.Next(call), begun(w)
	place := c.requests.Add(Request{Clock: c.clock.Now(), Op: call.Op, Alias: call.Alias, No: call.No, Hash: call.Hash, Fault: f.Kind})
	defer func() { c.requests.Done(place, began) }()
	switch f.Kind {
	case TimeoutBefore:
		drop(w, f.Hang)
		return
	case LateDebit, LatePay:
		c.clock.After(f.Delay, func() { exec(Fault{}) })
		drop(w, f.Hang)
		return
	case Late500:
		c.clock.After(f.Delay, func() { exec(Fault{}) })
		answer(w, d, f, d.Fail(Failure{Kind: "500"}))
		return
	}
	rep := (*Reply)(nil)
	if kind, ok := beforeKinds[f.Kind]; ok {
		rep = d.Fail(Failure{kind, f.Code, f.Message, f.Status})
	} else {
		rep = exec(f)
	}
	answer(w, d, f, rep)
}

// timed is an answer that knows when its request came.
type timed struct {
	http.ResponseWriter
	at time.Time
}

// Unwrap lets a connection be ended.
func (t timed) Unwrap() http.ResponseWriter { return t.ResponseWriter }

func begun(w http.ResponseWriter) time.Time {
	if t, ok := w.(timed); ok {
		return t.at
	}
	return time.Now()
}

// drop ends the connection without an answer. One byte goes out first, because
// HTTP clients silently repeat a GET when a connection closes before any byte.
func drop(w http.ResponseWriter, hang time.Duration) {
	time.Sleep(hang)
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	conn.Write([]byte("H"))
	conn.Close()
}

func answer(w http.ResponseWriter, d Dialect, f Fault, rep *Reply) {
	if kind, ok := afterKinds[f.Kind]; ok {
		rep = d.Fail(Failure{Kind: kind})
	}
	switch f.Kind {
	case TimeoutAfter, LostPackage:
		drop(w, f.Hang)
		return
	case Slow:
		time.Sleep(f.Delay)
	case HTML502After:
		rep = &Reply{Status: 502, Type: "text/html", Raw: true,
			Body: []byte("<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>")}
	}
	Write(w, d, rep, sealKinds[f.Kind], f.Kind == TruncatedAfter)
}

// Write signs and sends an answer; half cuts it in the middle.
func Write(w http.ResponseWriter, d Dialect, rep *Reply, how Seal, half bool) {
	body := rep.Body
	if !rep.Raw {
		body = d.Seal(w.Header(), rep, how)
	}
	if rep.Type != "" {
		w.Header().Set("Content-Type", rep.Type)
	}
	if rep.Status != http.StatusNoContent {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(rep.Status)
	if !half {
		w.Write(body)
		return
	}
	w.Write(body[:len(body)/2])
	http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}
