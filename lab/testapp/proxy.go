package testapp

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"mime/multipart"
	"net/http"

	"hospay/internal/idno"
	"hospay/lab/demo"
	"hospay/refund"
)

// Upload sends a photo of a proxy application as a form.
func (a *App) Upload(token, application, kind, name string, photo []byte) Answer {
	a.TB.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for k, v := range map[string]string{"application": application, "kind": kind} {
		a.must(form.WriteField(k, v))
	}
	part, err := form.CreateFormFile("file", name)
	a.must(err)
	_, err = part.Write(photo)
	a.must(err)
	a.must(form.Close())
	return a.Send("POST", "/api/collections/proxy_materials/records", token, form.FormDataContentType(), &body)
}

// Send sends any request and keeps the raw answer.
func (a *App) Send(method, path, token, contentType string, body io.Reader) Answer {
	a.TB.Helper()
	res := a.Fetch(method, path, token, contentType, body)
	defer res.Body.Close()
	out := Answer{Status: res.StatusCode}
	var err error
	out.Raw, err = io.ReadAll(res.Body)
	a.must(err)
	_ = json.Unmarshal(out.Raw, &out.Body)
	return out
}

// Fetch sends any request; the caller closes the answer.
func (a *App) Fetch(method, path, token, contentType string, body io.Reader) *http.Response {
	a.TB.Helper()
	req, err := http.NewRequestWithContext(a.TB.Context(), method, a.URL+path, body)
	a.must(err)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if token != "" {
		req.Header.Set("Authorization", token)
	}
	res, err := http.DefaultClient.Do(req)
	a.must(err)
	return res
}

// Wish is what a patient sends to act for a test person.
func (a *App) Wish(principal, kind string) map[string]any {
	a.TB.Helper()
	who := a.Sims.World.Find(principal)
	if who == nil {
		a.TB.Fatalf("no patient %s", principal)
	}
	return map[string]any{
		"principal_name": who.Name, "principal_id_no": who.IDNo, "card_no": who.Cards[0], "case": kind, "relation": "child",
		"consent_version": "1",
	}
}

// ApplyProxy asks to act for a test person; changes override single fields.
func (p *Patient) ApplyProxy(principal, kind string, changes map[string]any) Answer {
	p.TB.Helper()
	body := p.Wish(principal, kind)
	maps.Copy(body, changes)
	return p.Call("POST", "/api/collections/proxy_applications/records", p.Token, body)
}

// SubmittedProxy hands in an application with every required photo and returns
// its id.
func (p *Patient) SubmittedProxy(principal, kind string) string {
	p.TB.Helper()
	res := p.ApplyProxy(principal, kind, nil)
	if res.Status != 200 {
		p.TB.Fatalf("proxy: %d %s", res.Status, res.Raw)
	}
	id := res.Text("id")
	for i, k := range refund.ProxyCase(kind).Required(idno.Resident) {
		if res := p.Upload(p.Token, id, string(k), "photo.jpg", demo.Photo(i)); res.Status != 200 {
			p.TB.Fatalf("upload of %s: %d %s", k, res.Status, res.Raw)
		}
	}
	if res := p.Call("POST", "/api/hospay/proxies/"+id+"/submit", p.Token, nil); res.Status != 200 {
		p.TB.Fatalf("submit: %d %s", res.Status, res.Raw)
	}
	return id
}

// ApprovedProxy is SubmittedProxy and a reviewer's approval.
func (p *Patient) ApprovedProxy(principal, kind string) string {
	p.TB.Helper()
	id := p.SubmittedProxy(principal, kind)
	if res := p.ReviewProxy(p.Staff("reviewer1"), id, "approve", ""); res.Status != 200 {
		p.TB.Fatalf("review: %d %s", res.Status, res.Raw)
	}
	return id
}

// SeePapers opens every paper of an application, as whoever approves it must; who may
// not is refused here, too.
func (a *App) SeePapers(token, id string) {
	a.TB.Helper()
	api := demo.NewAPI(a.URL)
	if err := api.SeePapers(a.TB.Context(), token, id); err != nil {
		a.TB.Logf("papers of %s: %v", id, err)
	}
}

// ReviewProxy sends a decision on a proxy application, an approval after a look at
// all papers.
func (a *App) ReviewProxy(token, id, decision, note string) Answer {
	a.TB.Helper()
	if decision == "approve" {
		a.SeePapers(token, id)
	}
	return a.Call("POST", "/api/hospay/proxies/"+id+"/review", token, map[string]any{"decision": decision, "note": note})
}

// ApplyFor sends a refund application for the principal's card.
func (p *Patient) ApplyFor(proxy, principal, channel, method string, fen int64, changes map[string]any) Answer {
	p.TB.Helper()
	body := map[string]any{"card_no": p.Sims.World.Find(principal).Cards[0], "proxy_application": proxy}
	maps.Copy(body, changes)
	return p.Apply(channel, method, fen, body)
}
