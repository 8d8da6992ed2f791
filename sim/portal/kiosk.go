package portal

import (
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"hospay/sim"
	"hospay/sim/world"
)

// What somebody can show at a kiosk, and what it is called.
var shown = []struct{ what, title string }{{"credential", "出示医保码"}, {"id_card", "放身份证"}, {"social_card", "插社保卡"}}

// reader is the service of the readers of one kiosk: it waits until something is
// shown on the simulator's page, as a person stands before a real one.
type reader struct {
	mu    sync.Mutex
	waits map[string]chan reading
}

type reading struct {
	No     string `json:"no"`
	Name   string `json:"name,omitempty"`
	cancel bool
}

// readerWait is how long a question waits before it is answered with nothing.
const readerWait = 20 * time.Second

func (r *reader) wait(what string) chan reading {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waits == nil {
		r.waits = map[string]chan reading{}
	}
	if r.waits[what] == nil {
		r.waits[what] = make(chan reading)
	}
	return r.waits[what]
}

// read is the question of the kiosk's page, which is another origin.
func (r *reader) read(w http.ResponseWriter, req *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Cache-Control", "no-store")
	select {
	case got := <-r.wait(req.URL.Query().Get("what")):
		if got.cancel {
			sim.WriteJSON(w, http.StatusConflict, map[string]string{"error": "cancelled"})
			return
		}
		sim.WriteJSON(w, http.StatusOK, got)
	case <-time.After(readerWait):
		sim.WriteJSON(w, http.StatusRequestTimeout, map[string]string{"error": "nothing was shown"})
	case <-req.Context().Done():
	}
}

// readingOf is what a reader tells of a patient.
func readingOf(p *world.Patient, what string) reading {
	switch what {
	case "credential":
		return reading{No: p.Credential()}
	case "id_card":
		return reading{No: p.IDNo, Name: p.Name}
	}
	return reading{No: p.SocialCard()}
}

// Show lays something before the readers; an error says that no kiosk waits for it.
func (s *Server) Show(patient, what string, cancel bool) error {
	p := s.world.Find(patient)
	if p == nil && !cancel {
		return fmt.Errorf("no patient %q", patient)
	}
	got := reading{cancel: true}
	if !cancel {
		got = readingOf(p, what)
	}
	select {
	case s.kiosk.wait(what) <- got:
		return nil
	case <-time.After(3 * time.Second):
		return fmt.Errorf("no kiosk waits for %s", what)
	}
}

func (s *Server) mountKiosk(m *http.ServeMux) {
	m.HandleFunc("GET /kiosk", s.kioskPage)
	m.HandleFunc("GET /kiosk/read", s.kiosk.read)
	m.HandleFunc("GET /kiosk/show", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		page := sim.Page{Title: "已出示", Choices: []sim.Choice{{Text: "返回", Href: "/kiosk"}}}
		if err := s.Show(q.Get("patient"), q.Get("what"), q.Get("cancel") != ""); err != nil {
			page.Title, page.Lines = "自助机没有在等待", []string{"请先在自助机上走到“请证明身份”，身份证和社保卡要先点读卡。"}
		}
		page.Show(w, 200)
	})
}

// kioskPage is the hand of a person who stands before a kiosk.
func (s *Server) kioskPage(w http.ResponseWriter, _ *http.Request) {
	page := sim.Page{Title: "自助机模拟器：扫码口和读卡器", Lines: []string{
		"自助机页面走到“请证明身份”后，在这里选择患者出示什么。",
		"也可以把 28 位的医保码在自助机页面上用键盘输入并按回车，扫码枪就是这样做的。",
	}, Choices: []sim.Choice{{Text: "读卡中途取消（身份证）", Href: "/kiosk/show?what=id_card&cancel=1"}}}
	all := s.world.Patients()
	for _, p := range all[:min(len(all), 20)] {
		for _, x := range shown {
			q := url.Values{"patient": {p.Code}, "what": {x.what}}
			text := fmt.Sprintf("%s %s：%s", p.Code, p.Name, x.title)
			if x.what == "credential" {
				text += " " + p.Credential()
			}
			page.Choices = append(page.Choices, sim.Choice{Text: text, Href: "/kiosk/show?" + q.Encode()})
		}
	}
	page.Show(w, 200)
}
